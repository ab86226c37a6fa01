import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Entry = Schemas["AuditOut"];

export const fetchAudit = (filter: { by: string; action: string }, cursor?: string) =>
  unwrap(
    api.GET("/api/audit", {
      params: { query: { by: filter.by || undefined, action: filter.action || undefined, cursor } },
    }),
  );
