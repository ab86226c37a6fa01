import { api, unwrap } from "../../api/client";

export type Search = { q?: string; identifier?: string };

export const searchPersons = (search: Search) =>
  unwrap(api.GET("/api/persons", { params: { query: search } }));
