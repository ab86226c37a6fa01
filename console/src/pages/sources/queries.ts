import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type WriteKey = Schemas["WriteKeyOut"];
export type Source = Schemas["SourceOut"];
export type KeyDraft = Pick<WriteKey, "name" | "origins" | "rate">;

export const KINDS = ["web", "miniprogram", "app", "server", "file"] as const;

export const fetchSources = () => unwrap(api.GET("/api/sources"));

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => cache.invalidateQueries({ queryKey: ["sources"] }),
  });
}

const issue = (id: number, body: KeyDraft) =>
  unwrap(
    api.POST("/api/sources/{id}/keys", { params: { path: { id } }, body }),
  );

/** A new source and its first write key. */
export const useCreateSource = () =>
  useChange(async (body: { name: string; kind: Source["kind"]; historical: boolean; origins: string[] }) => {
    const { origins, ...rest } = body;
    const source = await unwrap(api.POST("/api/sources", { body: rest }));
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
