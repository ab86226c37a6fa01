import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Page, PersonSummary, Titles } from "../../api/types";
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
export type StepResult = {
  event: string;
  title: Titles;
  count: number;
  suppressed: boolean;
  conversion: number | null;
  from_previous: number | null;
  median_ms: number | null;
};
export type Result = {
  steps: StepResult[];
  breakdown: { value: string | null; steps: StepResult[] }[];
  as_of: string;
  took_ms: number;
  sql: string;
};
export type Saved = { id: string; name: string; params: Params };

export function useFunnel(params: Params, enabled: boolean) {
  return useQuery({
    queryKey: ["funnel", params],
    queryFn: ({ signal }) => unwrap<Result>(api.POST("/api/analytics/funnel", { body: params, signal })),
    placeholderData: keepPreviousData,
    enabled,
    staleTime: 60_000,
  });
}

export const fetchPeople = (body: Params & { step: number; dropped: boolean; value?: string | null }, cursor?: string) =>
  unwrap<Page<PersonSummary>>(
    api.POST("/api/analytics/funnel/persons", { body, params: { query: { cursor } } }),
  );

export function useSaved() {
  return useQuery({
    queryKey: ["funnels", "saved"],
    queryFn: () => unwrap<Page<Saved>>(api.GET("/api/analytics/saved")),
  });
}

export function useSaveFunnel() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; params: Params }) => unwrap(api.POST("/api/analytics/saved", { body })),
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
