import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Person = Schemas["PersonView"];
export type AttributeValue = Schemas["AttributeView"];
export type IdentifierValue = Schemas["IdentifierView"];
export type Graph = Schemas["GraphView"];
export type PersonEvent = Schemas["EventView"];
export type LogEntry = Schemas["LogView"];
export type ConsentDraft = Pick<Schemas["ConsentBody"], "purpose" | "state" | "channel" | "evidence">;
export type GraphEdge = Schemas["EdgeView"];

const at = (id: string) => ({ params: { path: { id } } });

export function usePerson(id: string) {
  return useQuery({
    queryKey: ["person", id],
    queryFn: () => unwrap(api.GET("/api/persons/{id}", at(id))),
  });
}

export const fetchTimeline = (id: string, event: string, cursor?: string) =>
  unwrap(
    api.GET("/api/persons/{id}/timeline", { params: { path: { id }, query: { cursor, event: event || undefined, limit: 100 } } }),
  );

export function useLog(id: string) {
  return useQuery({
    queryKey: ["person", id, "log"],
    queryFn: () => unwrap(api.GET("/api/persons/{id}/identity-log", at(id))),
  });
}

export const useExplain = () =>
  useMutation({
    mutationFn: (query: { a: string; b: string }) => unwrap(api.GET("/api/identity/explain", { params: { query } })),
  });

export function useMerge(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { b: string; reason: string }) =>
      unwrap(api.POST("/api/persons/merge", { body: { a: id, ...body } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["person"] }),
  });
}

export function useRecordConsent(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: ConsentDraft) =>
      unwrap(api.POST("/api/persons/{id}/consents", { ...at(id), body: { policy_version: "", source: "console", ...body, evidence: body.evidence ?? "", channel: body.channel ?? "*" } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["person", id] }),
  });
}

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
