import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, tagged, unwrap } from "../../api/client";
import type { Page, Segment } from "../../api/types";
import type { Graph } from "./graph";

export type Journey = {
  id: string;
  name: string;
  status: string;
  version: number;
  graph: Graph;
  missing: string[];
  created_by: string;
  updated_at: string;
  etag: string;
};
export type Send = {
  key: string;
  person: { id: string; display: string } | null;
  channel: string;
  node: string;
  state: string;
  reason: string | null;
  attempts: number;
  created_at: string;
  updated_at: string;
};
export type Draft = { name: string; graph: Graph };
export type Action = "publish" | "pause" | "resume";

const at = (id: string) => ({ params: { path: { id } } });

export function useJourney(id: string) {
  return useQuery({
    queryKey: ["journey", id],
    queryFn: () => tagged<Journey>(api.GET("/api/journeys/{id}", at(id))),
    enabled: id !== "new",
  });
}

export function useChannelNames() {
  return useQuery({
    queryKey: ["channels"],
    queryFn: () => unwrap<Page<{ id: string; name: string; kind: string }>>(api.GET("/api/channels")),
  });
}

export function useSegmentNames() {
  return useQuery({
    queryKey: ["segments", "names"],
    queryFn: () => unwrap<Page<Segment>>(api.GET("/api/segments", { params: { query: { limit: 200 } } })),
  });
}

function useInvalidate(id: string | undefined) {
  const cache = useQueryClient();
  return () => {
    void cache.invalidateQueries({ queryKey: ["journeys"] });
    return cache.invalidateQueries({ queryKey: ["journey", id] });
  };
}

export function useSave(stored: Journey | undefined) {
  const invalidate = useInvalidate(stored?.id);
  return useMutation({
    mutationFn: (body: Draft) =>
      stored
        ? tagged<Journey>(
            api.PATCH("/api/journeys/{id}", { ...at(stored.id), headers: { "If-Match": stored.etag }, body }),
          )
        : tagged<Journey>(api.POST("/api/journeys", { body })),
    onSuccess: invalidate,
  });
}

export function useAct(id: string) {
  const invalidate = useInvalidate(id);
  return useMutation({
    mutationFn: (action: Action) => {
      if (action === "publish") return unwrap(api.POST("/api/journeys/{id}/publish", at(id)));
      if (action === "pause") return unwrap(api.POST("/api/journeys/{id}/pause", at(id)));
      return unwrap(api.POST("/api/journeys/{id}/resume", at(id)));
    },
    onSuccess: invalidate,
  });
}

export function useRemove(id: string) {
  const invalidate = useInvalidate(id);
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/journeys/{id}", at(id))),
    onSuccess: invalidate,
  });
}

export const fetchSends = (id: string, state: string, cursor?: string) =>
  unwrap<Page<Send>>(
    api.GET("/api/journeys/{id}/sends", { params: { path: { id }, query: { state: state || undefined, cursor } } }),
  );
