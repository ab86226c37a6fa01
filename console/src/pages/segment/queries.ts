import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";

const at = (id: string) => ({ params: { path: { id } } });

export function useSegment(id: string) {
  return useQuery({
    queryKey: ["segment", id],
    queryFn: () => unwrap(api.GET("/api/segments/{id}", at(id))),
    refetchInterval: (query) => (query.state.data?.state === "refreshing" ? 2_000 : false),
  });
}

export const fetchMembers = (id: string, cursor?: string) =>
  unwrap(
    api.GET("/api/segments/{id}/members", { params: { path: { id }, query: { cursor } } }),
  );

function useChange<V>(id: string, change: (value: V) => Promise<unknown>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["segment", id] });
      void cache.invalidateQueries({ queryKey: ["segments"] });
    },
  });
}

export const useRefresh = (id: string) =>
  useChange<void>(id, () => unwrap(api.POST("/api/segments/{id}/refresh", at(id))));

export const useRestore = (id: string) =>
  useChange<void>(id, () => unwrap(api.POST("/api/segments/{id}/restore", at(id))));

export function useRemove(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/segments/{id}", at(id))),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["segments"] }),
  });
}
