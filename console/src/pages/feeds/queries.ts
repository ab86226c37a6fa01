import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, tagged, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";
import type { Paged } from "../../ui/QueryTable";
import type { Document } from "./mapping";

export type Feed = Schemas["FeedOut"];
export type FeedRun = Schemas["FeedRunOut"];
export type FeedKind = Schemas["FeedKindOut"];
export type Drift = Schemas["DriftOut"];
export type Trial = Schemas["FeedTrialOut"];
export type Draft = Omit<Schemas["FeedBody"], "mapping"> & { mapping: Document | null };
export type Patch = Schemas["FeedPatch"];
export type Tagged = Feed & { etag: string };

const BUSY_MS = 2_000;
const IDLE_MS = 15_000;

/** All feeds; asked again soon while one of them reads. */
export const useFeeds = (): Paged<Feed> =>
  useInfiniteQuery({
    queryKey: ["feeds", "list"],
    queryFn: ({ pageParam }) => unwrap(api.GET("/api/feeds", { params: { query: { limit: 50, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some((feed) => feed.running)) ? BUSY_MS : IDLE_MS),
  });

export const useFeedKinds = () =>
  useQuery({ queryKey: ["feed-kinds"], queryFn: () => unwrap(api.GET("/api/feeds/kinds")), staleTime: 10 * 60_000 });

export const useFeed = (id: string) =>
  useQuery({
    queryKey: ["feeds", "one", id],
    queryFn: () => tagged(api.GET("/api/feeds/{id}", { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data?.running ? BUSY_MS : IDLE_MS),
  });

export const useRuns = (id: string, running: boolean): Paged<FeedRun> =>
  useInfiniteQuery({
    queryKey: ["feeds", "runs", id],
    queryFn: ({ pageParam }) =>
      unwrap(api.GET("/api/feeds/{id}/runs", { params: { path: { id }, query: { limit: 20, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: running ? BUSY_MS : IDLE_MS,
  });

export const useDrift = (id: string) =>
  useQuery({
    queryKey: ["feeds", "drift", id],
    queryFn: () => unwrap(api.GET("/api/feeds/{id}/drift", { params: { path: { id } } })),
  });

/** Counts at the source and here; asked for by hand, for it connects to the source. */
export const useReconcile = (id: string) =>
  useMutation({ mutationFn: () => unwrap(api.GET("/api/feeds/{id}/reconciliation", { params: { path: { id } } })) });

export const useTry = () =>
  useMutation({ mutationFn: (body: { kind: string; settings: Document }) => unwrap(api.POST("/api/feeds/try", { body })) });

export const useTryStored = (id: string) =>
  useMutation({ mutationFn: () => unwrap(api.POST("/api/feeds/{id}/try", { params: { path: { id } } })) });

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => Promise.all([cache.invalidateQueries({ queryKey: ["feeds"] }), cache.invalidateQueries({ queryKey: ["sources"] })]),
  });
}

export const useCreate = () => useChange((body: Draft) => unwrap(api.POST("/api/feeds", { body })));

export const usePatch = (feed: Tagged) =>
  useChange((body: Patch) =>
    tagged(api.PATCH("/api/feeds/{id}", { params: { path: { id: feed.id }, header: { "if-match": feed.etag } }, body })),
  );

export const useRun = (id: string) =>
  useChange((again: boolean) => unwrap(api.POST("/api/feeds/{id}/run", { params: { path: { id } }, body: { again } })));

export const useStop = (id: string) =>
  useChange(() => unwrap(api.POST("/api/feeds/{id}/stop", { params: { path: { id } } })));

export const useAccept = (id: string) =>
  useChange(() => unwrap(api.POST("/api/feeds/{id}/drift/accept", { params: { path: { id } } })));

export function useRemove(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/feeds/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      cache.removeQueries({ predicate: ({ queryKey }) => queryKey[0] === "feeds" && queryKey[2] === id });
      void cache.invalidateQueries({ queryKey: ["sources"] });
      return cache.invalidateQueries({ queryKey: ["feeds", "list"] });
    },
  });
}
