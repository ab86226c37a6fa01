import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Page, Titles } from "../../api/types";
import type { Schema } from "../../ui/SchemaForm";

export type Channel = {
  id: string;
  kind: string;
  name: string;
  enabled: boolean;
  settings: Record<string, unknown>;
  created_at: string;
};
export type Kind = { kind: string; title: Titles; schema: Schema };
export type Draft = { kind: string; name: string; settings: Record<string, unknown> };

export const fetchChannels = (cursor?: string) =>
  unwrap<Page<Channel>>(api.GET("/api/channels", { params: { query: { cursor } } }));

export function useKinds() {
  return useQuery({
    queryKey: ["channel-kinds"],
    queryFn: () => unwrap<{ items: Kind[] }>(api.GET("/api/channels/kinds")),
    staleTime: 10 * 60_000,
  });
}

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: ["channels"] }) });
}

export const useCreateChannel = () =>
  useChange((body: Draft) => unwrap<Channel>(api.POST("/api/channels", { body })));

export const usePatchChannel = () =>
  useChange(({ id, ...body }: { id: string; name?: string; enabled?: boolean; settings?: Record<string, unknown> }) =>
    unwrap<Channel>(api.PATCH("/api/channels/{id}", { params: { path: { id } }, body })),
  );

export const useDeleteChannel = () =>
  useChange((id: string) => unwrap(api.DELETE("/api/channels/{id}", { params: { path: { id } } })));

export const useTestChannel = () =>
  useMutation({
    mutationFn: ({ id, address }: { id: string; address: string }) =>
      unwrap<{ outcome: string; reason: string | null }>(
        api.POST("/api/channels/{id}/test", { params: { path: { id } }, body: { address } }),
      ),
  });
