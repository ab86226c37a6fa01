import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type EntitySummary = Schemas["EntityView"];

export const searchEntities = (type: string, q: string, cursor?: string) =>
  unwrap(
    api.GET("/api/entities/{type}", { params: { path: { type }, query: { q: q || undefined, cursor } } }),
  );
