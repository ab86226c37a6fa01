import type { UseQueryResult } from "@tanstack/react-query";
import { Card, Skeleton } from "antd";
import type { ReactNode } from "react";
import { ErrorState } from "./ErrorState";

type Props<T> = {
  query: UseQueryResult<T>;
  rows?: number;
  /** Shown while waiting, in place of grey lines. */
  skeleton?: ReactNode;
  /** Draw the waiting and the error on a card of their own. */
  framed?: boolean;
  children: (data: T) => ReactNode;
};

/** A query's three states: skeleton, error with retry, content. */
export function Loaded<T>({ query, rows = 6, skeleton, framed, children }: Props<T>) {
  const frame = (content: ReactNode) => (framed ? <Card>{content}</Card> : content);
  if (query.isPending) return skeleton ?? frame(<Skeleton active paragraph={{ rows }} />);
  if (query.data === undefined) {
    return frame(<ErrorState problem={query.error} onRetry={() => void query.refetch()} />);
  }
  return <>{children(query.data)}</>;
}
