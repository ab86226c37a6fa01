import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type WriteKey = Schemas["WriteKeyOut"];
export type Source = Schemas["SourceOut"];
export type KeyDraft = Pick<WriteKey, "name" | "origins" | "rate">;

export const KINDS = ["web", "miniprogram", "app", "server", "file", "webhook", "wechat", "wecom"] as const;
export type SourceKind = Schemas["SourceKindOut"];
export type Settings = Record<string, unknown>;

export const fetchSources = () => unwrap(api.GET("/api/sources"));

/** Kinds of sources that have settings. */
export const useSourceKinds = () =>
  useQuery({ queryKey: ["source-kinds"], queryFn: () => unwrap(api.GET("/api/source-kinds")) });

/** Only what was filled in: an empty secret keeps the stored one. */
export const filled = (settings: Settings | undefined): Settings =>
  Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined && value !== "" && value !== null));

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
  useChange(async (body: { name: string; kind: Source["kind"]; historical: boolean; origins: string[]; settings?: Settings }) => {
    const { origins, ...rest } = body;
    const source = await unwrap(api.POST("/api/sources", { body: rest }));
    return { source, key: await issue(source.id, { name: "default", origins, rate: 0 }) };
  });

export const useIssueKey = (id: number) => useChange((body: KeyDraft) => issue(id, body));

export const useRevokeKey = (id: number) =>
  useChange((key: string) =>
    unwrap(api.DELETE("/api/sources/{id}/keys/{key}", { params: { path: { id, key } } })),
  );

type Limits = Schemas["SourceLimitsDocument"];

export function useLimits(id: number) {
  return useQuery({
    queryKey: ["sources", id, "limits"],
    queryFn: () => unwrap(api.GET("/api/sources/{id}/limits", { params: { path: { id } } })),
  });
}

export const useSetLimits = (id: number) =>
  useChange((body: Limits) => unwrap(api.PUT("/api/sources/{id}/limits", { params: { path: { id } }, body })));

export const usePatchKey = (id: number) =>
  useChange(({ key, ...body }: Schemas["WriteKeyPatch"] & { key: string }) =>
    unwrap(api.PATCH("/api/sources/{id}/keys/{key}", { params: { path: { id, key } }, body })),
  );

export const usePatchSource = (id: number) =>
  useChange((body: { enabled?: boolean; historical?: boolean; name?: string; settings?: Settings }) =>
    unwrap(api.PATCH("/api/sources/{id}", { params: { path: { id } }, body })),
  );
