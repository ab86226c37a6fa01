import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Suppression = Schemas["SuppressionOut"];

export const fetchSuppressions = (address: string, cursor?: string) =>
  unwrap(api.GET("/api/suppressions", { params: { query: { address: address || undefined, cursor } } }));

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: ["suppressions"] }) });
}

export const useSuppress = () =>
  useChange((body: Schemas["SuppressionBody"]) => unwrap(api.POST("/api/suppressions", { body })));

export const useLift = () =>
  useChange(({ id, reason }: { id: string; reason: string }) =>
    unwrap(api.POST("/api/suppressions/{id}/lift", { params: { path: { id } }, body: { reason } })),
  );
