import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

export type Job = {
  id: string | number;
  kind: string;
  state: string;
  progress: number;
  total: number | null;
  message: string | null;
  result: Record<string, unknown> | null;
  created_by: string;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
};

export const fetchJobs = (cursor?: string) =>
  unwrap<Page<Job>>(api.GET("/api/jobs", { params: { query: { cursor } } }));

export function useCancel() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: Job["id"]) => unwrap(api.POST("/api/jobs/{id}/cancel", { params: { path: { id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["jobs"] }),
  });
}
