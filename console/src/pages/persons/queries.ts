import { api, unwrap } from "../../api/client";
import type { Page, PersonSummary } from "../../api/types";

export type Search = { q?: string; identifier?: string };

export const searchPersons = (search: Search, cursor?: string) =>
  unwrap<Page<PersonSummary>>(api.GET("/api/persons", { params: { query: { ...search, cursor } } }));
