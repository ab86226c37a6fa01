import { api, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

export type Entry = {
  id: number;
  at: string;
  caller: string;
  action: string;
  object: string;
  detail: Record<string, unknown>;
};

export const fetchAudit = (filter: { by: string; action: string }, cursor?: string) =>
  unwrap<Page<Entry>>(
    api.GET("/api/audit", {
      params: { query: { by: filter.by || undefined, action: filter.action || undefined, cursor } },
    }),
  );
