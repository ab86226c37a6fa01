import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type UnknownSend = Schemas["UnknownSendOut"];
export type Settlement = Schemas["SettleBody"];

export const fetchUnknown = (cursor?: string) =>
  unwrap(api.GET("/api/sends/unknown", { params: { query: { cursor } } }));

export function useSettle() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ key, ...body }: Settlement & { key: string }) =>
      unwrap(api.POST("/api/sends/{key}/settle", { params: { path: { key } }, body })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["journey"] });
      return cache.invalidateQueries({ queryKey: ["unknown-sends"] });
    },
  });
}
