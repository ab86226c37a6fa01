import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { EventRow, Page } from "../../api/types";

export type Filter = { event: string; source: string };

const query = (filter: Filter, cursor?: string) => ({
  params: { query: { event: filter.event || undefined, source: filter.source || undefined, cursor, limit: 50 } },
});

export const fetchEvents = (filter: Filter, cursor?: string) =>
  unwrap<Page<EventRow>>(api.GET("/api/events", query(filter, cursor)));

export function useSourceNames() {
  return useQuery({
    queryKey: ["sources", "names"],
    queryFn: () => unwrap<Page<{ id: number; name: string }>>(api.GET("/api/sources")),
    staleTime: 60_000,
  });
}
