import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import type { Titles } from "./types";

export type Property = { name: string; title: Titles; type: string; class: string; codes: string[]; entity?: string | null };
export type EventType = { name: string; title: Titles; stage: string; properties: Property[] };
export type Field = {
  name: string;
  title: Titles;
  type: string;
  class: string;
  codes: Record<string, Titles> | null;
};
export type IdentifierType = { name: string; title: Titles; entity: string; namespaced: boolean };
export type EntityType = { name: string; title: Titles };
export type RelationType = { name: string; title: Titles; subject: string; object: string };
export type Catalogue = {
  event_types: EventType[];
  fields: Field[];
  identifier_types: IdentifierType[];
  entity_types: EntityType[];
  relation_types: RelationType[];
  ops: Record<string, string[]>;
};

/** What is declared: events, fields, identifiers, entities; what the builders offer. */
export function useCatalogue() {
  return useQuery({
    queryKey: ["catalogue"],
    queryFn: () => unwrap<Catalogue>(api.GET("/api/catalogue")),
    staleTime: 10 * 60_000,
  });
}
