import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Job = Schemas["JobOut"];

export const fetchJobs = (cursor?: string) =>
  unwrap(api.GET("/api/jobs", { params: { query: { cursor } } }));

export function useCancel() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: Job["id"]) => unwrap(api.POST("/api/jobs/{id}/cancel", { params: { path: { id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["jobs"] }),
  });
}
