import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

export type WriteKey = {
  id: string;
  name: string;
  hint: string;
  origins: string[];
  rate: number;
  created_at: string;
  expires_at: string | null;
};
export type Source = {
  id: number;
  name: string;
  kind: string;
  enabled: boolean;
  historical: boolean;
  created_at: string;
  keys: WriteKey[];
  events_total: number;
  events_24h: number;
  rejected_24h: number;
  last_event_at: string | null;
};
export type KeyDraft = { name: string; origins: string[]; rate: number };

export const KINDS = ["web", "miniprogram", "app", "server", "file"] as const;

export const fetchSources = (cursor?: string) =>
  unwrap<Page<Source>>(api.GET("/api/sources", { params: { query: { cursor } } }));

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => cache.invalidateQueries({ queryKey: ["sources"] }),
  });
}

const issue = (id: number, body: KeyDraft) =>
  unwrap<{ key: WriteKey; write_key: string }>(
    api.POST("/api/sources/{id}/keys", { params: { path: { id } }, body }),
  );

/** A new source and its first write key. */
export const useCreateSource = () =>
  useChange(async (body: { name: string; kind: string; historical: boolean; origins: string[] }) => {
    const { origins, ...rest } = body;
    const source = await unwrap<Source>(api.POST("/api/sources", { body: rest }));
    return { source, key: await issue(source.id, { name: "default", origins, rate: 0 }) };
  });

export const useIssueKey = (id: number) => useChange((body: KeyDraft) => issue(id, body));

export const useRevokeKey = (id: number) =>
  useChange((key: string) =>
    unwrap(api.DELETE("/api/sources/{id}/keys/{key}", { params: { path: { id, key } } })),
  );

export const usePatchSource = (id: number) =>
  useChange((body: { enabled?: boolean; historical?: boolean; name?: string }) =>
    unwrap(api.PATCH("/api/sources/{id}", { params: { path: { id } }, body })),
  );
