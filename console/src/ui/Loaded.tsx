import type { UseQueryResult } from "@tanstack/react-query";
import { Skeleton } from "antd";
import type { ReactNode } from "react";
import { ErrorState } from "./ErrorState";

type Props<T> = { query: UseQueryResult<T>; rows?: number; children: (data: T) => ReactNode };

/** A query's three states: skeleton, error with retry, content. */
export function Loaded<T>({ query, rows = 6, children }: Props<T>) {
  if (query.isPending) return <Skeleton active paragraph={{ rows }} />;
  if (query.data === undefined) {
    return <ErrorState problem={query.error} onRetry={() => void query.refetch()} />;
  }
  return <>{children(query.data)}</>;
}
