import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Page, Segment } from "../../api/types";

export const fetchSegments = (cursor?: string, deleted = false) =>
  unwrap<Page<Segment>>(api.GET("/api/segments", { params: { query: { cursor, deleted: deleted || undefined } } }));

export function useRestoreSegment() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST("/api/segments/{id}/restore", { params: { path: { id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["segments"] }),
  });
}
