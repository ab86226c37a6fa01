import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, tagged, unwrap } from "../../api/client";
import { fetchEverySegment } from "../../api/segments";
import type { Schemas } from "../../api/types";
import type { Graph } from "./graph";

export type Journey = Schemas["JourneyOut"] & { etag: string };
export type Send = Schemas["SendOut"];
export type Draft = { name: string; graph: Graph };
export type Action = "publish" | "pause" | "resume";

const at = (id: string) => ({ params: { path: { id } } });

export function useJourney(id: string) {
  return useQuery({
    queryKey: ["journey", id],
    queryFn: () => tagged(api.GET("/api/journeys/{id}", at(id))),
    enabled: id !== "new",
  });
}

export function useChannelNames() {
  return useQuery({
    queryKey: ["channels"],
    queryFn: () => unwrap(api.GET("/api/channels")),
  });
}

export function useSegmentNames() {
  return useQuery({
    queryKey: ["segments", "names"],
    queryFn: fetchEverySegment,
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
        ? tagged(
            api.PATCH("/api/journeys/{id}", {
              params: { path: { id: stored.id }, header: { "if-match": stored.etag } },
              body,
            }),
          )
        : tagged(api.POST("/api/journeys", { body })),
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

export const usePreviewSend = (id: string) =>
  useMutation({
    mutationFn: (body: { node: string; person: string }) =>
      unwrap(api.POST("/api/journeys/{id}/preview", { ...at(id), body })),
  });

export const useTestSend = (id: string) =>
  useMutation({
    mutationFn: (body: { node: string; address: string }) =>
      unwrap(api.POST("/api/journeys/{id}/test", { ...at(id), body })),
  });

export const fetchSends = (id: string, state: string, cursor?: string) =>
  unwrap(
    api.GET("/api/journeys/{id}/sends", { params: { path: { id }, query: { state: (state || undefined) as Send["state"] | undefined, cursor } } }),
  );
