import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Token = Schemas["TokenOut"];

export const fetchTokens = () => unwrap(api.GET("/api/keys"));

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: ["keys"] }) });
}

export const useCreateToken = () =>
  useChange((body: Pick<Token, "name" | "roles" | "dims">) =>
    unwrap(api.POST("/api/keys", { body })),
  );

export const useRevokeToken = () =>
  useChange((id: string) => unwrap(api.DELETE("/api/keys/{id}", { params: { path: { id } } })));
