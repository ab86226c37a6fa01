import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";

export const fetchSegments = (deleted: boolean, cursor?: string) =>
  unwrap(api.GET("/api/segments", { params: { query: { deleted, cursor } } }));

export function useRestoreSegment() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST("/api/segments/{id}/restore", { params: { path: { id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["segments"] }),
  });
}
