import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { EventRow, Page, Relation, Titles } from "../../api/types";

export type AttributeValue = {
  field: string;
  title: Titles;
  class: string;
  value: unknown;
  masked: boolean;
  source: string | null;
  occurred_at: string | null;
};
export type IdentifierValue = {
  number: number;
  type: string;
  title: Titles;
  namespace: string;
  display: string;
  first_seen_at: string | null;
  last_seen_at: string | null;
  source: string | null;
};
export type ConsentState = { channel: string; purpose: string; granted: boolean; at: string; source: string | null };
export type Person = {
  id: string;
  number: number;
  name: string | null;
  display: string;
  attributes: AttributeValue[];
  identifiers: IdentifierValue[];
  relations: Relation[];
  consents: ConsentState[];
  segments: { id: string; name: string }[];
  merged_from: string[];
  first_seen_at: string | null;
  last_seen_at: string | null;
};
export type GraphNode = { number: number; type: string; title: Titles; display: string };
export type GraphEdge = {
  a: number;
  b: number;
  kind: string;
  accepted: boolean;
  reason: string | null;
  occurred_at: string;
  source: string | null;
  count: number;
};
export type Graph = { nodes: GraphNode[]; edges: GraphEdge[] };

const at = (id: string) => ({ params: { path: { id } } });

export function usePerson(id: string) {
  return useQuery({
    queryKey: ["person", id],
    queryFn: () => unwrap<Person>(api.GET("/api/persons/{id}", at(id))),
  });
}

export const fetchTimeline = (id: string, event: string, cursor?: string) =>
  unwrap<Page<EventRow>>(
    api.GET("/api/persons/{id}/timeline", {
      params: { path: { id }, query: { event: event || undefined, cursor } },
    }),
  );

export function useGraph(id: string) {
  return useQuery({
    queryKey: ["person", id, "graph"],
    queryFn: () => unwrap<Graph>(api.GET("/api/persons/{id}/graph", at(id))),
  });
}

export function useReveal(id: string) {
  return useMutation({
    mutationFn: (body: { field: string; reason: string }) =>
      unwrap<{ value: string }>(api.POST("/api/persons/{id}/reveal", { ...at(id), body })),
  });
}

export function useSplit(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { identifiers: number[]; reason: string }) =>
      unwrap(api.POST("/api/persons/{id}/split", { ...at(id), body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["person", id] }),
  });
}

export function useErase(id: string) {
  return useMutation({ mutationFn: () => unwrap(api.DELETE("/api/persons/{id}", at(id))) });
}

/** Everything stored about one person, as a file for that person. */
export async function downloadExport(id: string) {
  const body = await unwrap<unknown>(api.GET("/api/persons/{id}/export", at(id)));
  const url = URL.createObjectURL(new Blob([JSON.stringify(body, null, 2)], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: `person-${id}.json` });
  link.click();
  URL.revokeObjectURL(url);
}
