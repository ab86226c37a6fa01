import { api, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

export type EntitySummary = { id: string; type: string; number: number; key: string; title: string | null };

export const searchEntities = (type: string, q: string, cursor?: string) =>
  unwrap<Page<EntitySummary>>(
    api.GET("/api/entities/{type}", { params: { path: { type }, query: { q: q || undefined, cursor } } }),
  );
