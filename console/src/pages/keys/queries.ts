import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

export type Token = {
  id: string;
  name: string;
  hint: string;
  roles: string[];
  dims: Record<string, string[]>;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
};

export const fetchTokens = (cursor?: string) =>
  unwrap<Page<Token>>(api.GET("/api/keys", { params: { query: { cursor } } }));

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: ["keys"] }) });
}

export const useCreateToken = () =>
  useChange((body: { name: string; roles: string[]; dims: Record<string, string[]> }) =>
    unwrap<{ key: Token; token: string }>(api.POST("/api/keys", { body })),
  );

export const useRevokeToken = () =>
  useChange((id: string) => unwrap(api.DELETE("/api/keys/{id}", { params: { path: { id } } })));
