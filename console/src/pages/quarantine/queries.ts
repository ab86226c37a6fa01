import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

export type Kind = { source: number | null; source_name?: string | null; code: string; event: string | null; count: number; first_at: string; last_at: string };
export type Row = {
  id: string | number;
  source: number;
  source_name?: string | null;
  code: string;
  path: string | null;
  detail: string | null;
  event: string | null;
  first_at: string;
  state: string;
  raw?: string | null;
};
export type Filter = { code: string; source: string };

const clean = (filter: Filter) => ({ code: filter.code || undefined, source: filter.source || undefined });

export function useSummary() {
  return useQuery({
    queryKey: ["quarantine", "summary"],
    queryFn: () => unwrap<{ items: Kind[] }>(api.GET("/api/quarantine/summary")),
  });
}

export const fetchRows = (filter: Filter, cursor?: string) =>
  unwrap<Page<Row>>(api.GET("/api/quarantine", { params: { query: { ...clean(filter), cursor } } }));

export function useReplay() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (filter: Filter) => unwrap(api.POST("/api/quarantine/replay", { body: clean(filter) })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["quarantine"] }),
  });
}
