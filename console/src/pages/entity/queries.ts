import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";


export function useEntity(type: string, id: string) {
  return useQuery({
    queryKey: ["entity", type, id],
    queryFn: () => unwrap(api.GET("/api/entities/{type}/{id}", { params: { path: { type, id } } })),
  });
}

export const fetchTimeline = (type: string, id: string, event: string, cursor?: string) =>
  unwrap(
    api.GET("/api/entities/{type}/{id}/timeline", {
      params: { path: { type, id }, query: { cursor, event: event || undefined, limit: 50 } },
    }),
  );
