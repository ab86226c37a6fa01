import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Kind = Schemas["QuarantineGroup"];
export type Row = Schemas["QuarantinedOut"];

export type Filter = { code: string; source: string };

const clean = (filter: Filter) => ({
  code: filter.code || undefined,
  source: filter.source ? Number(filter.source) : undefined,
});

export function useSummary() {
  return useQuery({
    queryKey: ["quarantine", "summary"],
    queryFn: () => unwrap(api.GET("/api/quarantine/summary")),
  });
}

export const fetchRows = (filter: Filter, cursor?: string) =>
  unwrap(api.GET("/api/quarantine", { params: { query: { ...clean(filter), cursor } } }));

export function useReplay() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async (filter: Filter) => {
      let replayed = 0;
      for (let more = true; more; ) {
        const answer = await unwrap(api.POST("/api/quarantine/replay", { body: clean(filter) }));
        replayed += answer.replayed;
        more = answer.more;
      }
      return replayed;
    },
    onSuccess: () => cache.invalidateQueries({ queryKey: ["quarantine"] }),
  });
}
