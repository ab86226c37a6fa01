import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Person = Schemas["PersonView"];
export type AttributeValue = Schemas["AttributeView"];
export type IdentifierValue = Schemas["IdentifierView"];
export type Graph = Schemas["GraphView"];
export type PersonEvent = Schemas["EventView"];
export type GraphEdge = Schemas["EdgeView"];

const at = (id: string) => ({ params: { path: { id } } });

export function usePerson(id: string) {
  return useQuery({
    queryKey: ["person", id],
    queryFn: () => unwrap(api.GET("/api/persons/{id}", at(id))),
  });
}

export const fetchTimeline = (id: string, cursor?: string) =>
  unwrap(api.GET("/api/persons/{id}/timeline", { params: { path: { id }, query: { cursor, limit: 100 } } }));

export function useGraph(id: string) {
  return useQuery({
    queryKey: ["person", id, "graph"],
    queryFn: () => unwrap(api.GET("/api/persons/{id}/graph", at(id))),
  });
}

export function useReveal(id: string) {
  return useMutation({
    mutationFn: (body: { field: string; reason: string }) =>
      unwrap(api.POST("/api/persons/{id}/reveal", { ...at(id), body })),
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
  const body = await unwrap(api.GET("/api/persons/{id}/export", at(id)));
  const url = URL.createObjectURL(new Blob([JSON.stringify(body, null, 2)], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: `person-${id}.json` });
  link.click();
  URL.revokeObjectURL(url);
}
