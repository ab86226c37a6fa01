import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import type { Schemas } from "./types";

export type Catalogue = Schemas["CatalogueOut"];
export type EventType = Schemas["EventTypeOut"];
export type Property = Schemas["PropertyOut"];
export type Field = Schemas["FieldOut"];

/** What is declared: events, fields, identifiers, entities; what the builders offer. */
export function useCatalogue() {
  return useQuery({
    queryKey: ["catalogue"],
    queryFn: () => unwrap(api.GET("/api/catalogue")),
    staleTime: 10 * 60_000,
  });
}
