import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Relation } from "../../api/types";

export type Entity = {
  id: string;
  type: string;
  number: number;
  key: string;
  title: string | null;
  attributes: Record<string, unknown>;
  relations: Relation[];
};

export function useEntity(type: string, id: string) {
  return useQuery({
    queryKey: ["entity", type, id],
    queryFn: () => unwrap<Entity>(api.GET("/api/entities/{type}/{id}", { params: { path: { type, id } } })),
  });
}
