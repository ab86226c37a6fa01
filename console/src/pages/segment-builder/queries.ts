import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, tagged, unwrap } from "../../api/client";
import type { Page, Segment, SegmentCount } from "../../api/types";
import type { Rule } from "../../rules/model";

export function useDebounced<T>(value: T, milliseconds: number): T {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

export function useCount(rule: Rule, enabled: boolean) {
  return useQuery({
    queryKey: ["segments", "count", rule],
    queryFn: ({ signal }) => unwrap<SegmentCount>(api.POST("/api/segments/count", { body: { rule }, signal })),
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function useSql(rule: Rule, enabled: boolean) {
  return useQuery({
    queryKey: ["segments", "sql", rule],
    queryFn: () => unwrap<{ sql: string }>(api.POST("/api/segments/sql", { body: { rule } })),
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function useStored(id: string) {
  return useQuery({
    queryKey: ["segment", id],
    queryFn: () => tagged<Segment>(api.GET("/api/segments/{id}", { params: { path: { id } } })),
    enabled: id !== "new",
  });
}

export function useOthers(id: string) {
  return useQuery({
    queryKey: ["segments", "names"],
    queryFn: () => unwrap<Page<Segment>>(api.GET("/api/segments", { params: { query: { limit: 200 } } })),
    select: (page) => page.items.filter((s) => s.id !== id),
  });
}

export type Draft = { name: string; description: string; rule: Rule };

export function useSave(stored: Segment | undefined) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Draft) =>
      stored
        ? tagged<Segment>(
            api.PATCH("/api/segments/{id}", {
              params: { path: { id: stored.id } },
              headers: { "If-Match": stored.etag },
              body,
            }),
          )
        : tagged<Segment>(api.POST("/api/segments", { body })),
    onSuccess: (saved) => {
      cache.setQueryData(["segment", saved.id], saved);
      void cache.invalidateQueries({ queryKey: ["segments"] });
    },
  });
}
