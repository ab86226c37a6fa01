import { useInfiniteQuery, type InfiniteData, type UseInfiniteQueryResult } from "@tanstack/react-query";
import { Button, Flex, Skeleton, Typography, type TableColumnsType, type TableProps } from "antd";
import type { ReactNode } from "react";
import type { Page } from "../api/types";
import { useWords } from "../i18n";
import { number } from "./format";
import { ErrorState } from "./ErrorState";
import { ScrollTable } from "./ScrollTable";

export type Paged<T> = UseInfiniteQueryResult<InfiniteData<Page<T>>>;

/** Pages of a cursor list; `fetch` receives the cursor, undefined for the first page. */
export function usePaged<T>(
  queryKey: readonly unknown[],
  fetch: (cursor: string | undefined) => Promise<Page<T>>,
  options: { enabled?: boolean; refetchInterval?: number | false } = {},
): Paged<T> {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => fetch(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<T>) => last.next_cursor ?? undefined,
    ...options,
  });
}

type Props<T> = {
  query: Paged<T>;
  columns: TableColumnsType<T>;
  rowKey: (row: T) => string;
  empty: ReactNode;
  label: string;
  onRow?: TableProps<T>["onRow"];
  expandable?: TableProps<T>["expandable"];
  rowSelection?: TableProps<T>["rowSelection"];
};

/** A table over a cursor list: skeleton, teaching empty state, error with retry, load more. */
export function QueryTable<T extends object>({ query, columns, rowKey, empty, label, ...rest }: Props<T>) {
  const { t } = useWords();
  if (query.isPending) return <Skeleton active title={false} paragraph={{ rows: 6 }} />;
  if (!query.data) return <ErrorState problem={query.error} onRetry={() => void query.refetch()} />;
  const rows = query.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) return <>{empty}</>;
  return (
    <>
      <ScrollTable<T>
        size="middle"
        aria-label={label}
        columns={columns}
        dataSource={rows}
        rowKey={rowKey}
        {...rest}
      />
      <Flex justify="center" align="center" gap={12} style={{ paddingTop: 12 }}>
        <Typography.Text type="secondary">{t("table.shown", { n: number(rows.length) })}</Typography.Text>
        {query.hasNextPage && (
          <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("table.more")}
          </Button>
        )}
      </Flex>
    </>
  );
}
