import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Channel = Schemas["ChannelOut"];
export type Draft = { kind: string; name: string; settings: Record<string, unknown>; policy: Record<string, unknown> };

export const fetchChannels = () => unwrap(api.GET("/api/channels"));

export function useKinds() {
  return useQuery({
    queryKey: ["channel-kinds"],
    queryFn: () => unwrap(api.GET("/api/channels/kinds")),
    staleTime: 10 * 60_000,
  });
}

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: ["channels"] }) });
}

export const useCreateChannel = () =>
  useChange((body: Draft) => unwrap(api.POST("/api/channels", { body })));

export const usePatchChannel = () =>
  useChange(({ id, ...body }: { id: string; name?: string; enabled?: boolean; settings?: Record<string, unknown>; policy?: Record<string, unknown> }) =>
    unwrap(api.PATCH("/api/channels/{id}", { params: { path: { id } }, body })),
  );

export const useDeleteChannel = () =>
  useChange((id: string) => unwrap(api.DELETE("/api/channels/{id}", { params: { path: { id } } })));

export const useTestChannel = () =>
  useMutation({
    mutationFn: ({ id, address }: { id: string; address: string }) =>
      unwrap(
        api.POST("/api/channels/{id}/test", { params: { path: { id } }, body: { address } }),
      ),
  });
