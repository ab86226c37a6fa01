import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, tagged, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";
import { setZone } from "../../ui/format";

export type Settings = Schemas["TenantSettingsOut"];

export function useSettings() {
  return useQuery({ queryKey: ["settings"], queryFn: () => tagged(api.GET("/api/settings")) });
}

/** Saves; everything is read again, for every time and every window may look different. */
export function useSaveSettings() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ etag, ...body }: Settings & { etag: string }) =>
      unwrap(api.PATCH("/api/settings", { body, params: { header: { "if-match": etag } } })),
    onSuccess: (saved) => {
      setZone(saved.zone);
      return cache.invalidateQueries();
    },
  });
}
