import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";
import type { Comparison, Rule } from "../../rules/model";

export type Step = { event: string; where: Comparison[] };
export type Params = {
  steps: Step[];
  window: Record<string, number>;
  from: string;
  to: string;
  breakdown: { property: string } | { field: string } | null;
  filter: Rule | null;
  entity: "person";
};
export type Result = Schemas["FunnelOut"];
export type StepResult = Schemas["StepOut"];
export type Bar = { step: number; dropped: boolean; value?: string | null; other?: boolean };
type Sent = Schemas["FunnelBody"];

export function useFunnel(params: Params, enabled: boolean) {
  return useQuery({
    queryKey: ["funnel", params],
    queryFn: ({ signal }) => unwrap(api.POST("/api/analytics/funnel", { body: params as Sent, signal })),
    placeholderData: keepPreviousData,
    enabled,
    staleTime: 60_000,
  });
}

export const fetchPeople = (params: Params, bar: Bar, cursor?: string) =>
  unwrap(
    api.POST("/api/analytics/funnel/persons", {
      body: { ...params, ...bar } as Schemas["BarBody"],
      params: { query: { cursor } },
    }),
  );

export function useSaved() {
  return useQuery({
    queryKey: ["funnels", "saved"],
    queryFn: () => unwrap(api.GET("/api/analytics/saved")),
  });
}

export function useSaveFunnel() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; params: Params }) => 
      unwrap(api.POST("/api/analytics/saved", { body: { name: body.name, params: body.params as Sent } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["funnels"] }),
  });
}

export function useDeleteFunnel() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/api/analytics/saved/{id}", { params: { path: { id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["funnels"] }),
  });
}
