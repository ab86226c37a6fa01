import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, unwrap } from "../../api/client";
import { fetchEverySegment } from "../../api/segments";
import type { Schemas, Segment } from "../../api/types";
import type { Rule } from "../../rules/model";

type Sent = Schemas["RuleBody"]["rule"];

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
    queryFn: ({ signal }) => unwrap(api.POST("/api/segments/count", { body: { rule: rule as Sent }, signal })),
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function useSql(rule: Rule, enabled: boolean) {
  return useQuery({
    queryKey: ["segments", "sql", rule],
    queryFn: () => unwrap(api.POST("/api/segments/sql", { body: { rule: rule as Sent } })),
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function useStored(id: string) {
  return useQuery({
    queryKey: ["segment", id],
    queryFn: () => unwrap(api.GET("/api/segments/{id}", { params: { path: { id } } })),
    enabled: id !== "new",
  });
}

export function useOthers(id: string) {
  return useQuery({
    queryKey: ["segments", "names"],
    queryFn: fetchEverySegment,
    select: (page) => page.items.filter((s) => s.id !== id),
  });
}

export type Draft = { name: string; description: string; rule: Rule };

export function useSave(stored: Segment | undefined) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Draft) =>
      stored
        ? unwrap(
            api.PATCH("/api/segments/{id}", {
              params: { path: { id: stored.id }, header: { "if-match": stored.etag } },
              body: { ...body, rule: body.rule as Sent },
            }),
          )
        : unwrap(api.POST("/api/segments", { body: { ...body, rule: body.rule as Sent } })),
    onSuccess: (saved) => {
      cache.setQueryData(["segment", saved.id], saved);
      void cache.invalidateQueries({ queryKey: ["segments"] });
    },
  });
}
