import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";


export function useEntity(type: string, id: string) {
  return useQuery({
    queryKey: ["entity", type, id],
    queryFn: () => unwrap(api.GET("/api/entities/{type}/{id}", { params: { path: { type, id } } })),
  });
}
