import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import { useMay } from "./session";

/** The sources, for those who may see them. */
export function useSourceList() {
  const may = useMay();
  return useQuery({
    queryKey: ["sources", "names"],
    queryFn: () => unwrap(api.GET("/api/sources")),
    enabled: may("source.read"),
    staleTime: 60_000,
  });
}

/** Turns a source's number into its name. */
export function useSourceName() {
  const sources = useSourceList().data?.items ?? [];
  return (id: number) => sources.find((source) => source.id === id)?.name ?? `#${id}`;
}
