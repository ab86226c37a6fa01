import { useQuery } from "@tanstack/react-query";
import { useWords } from "../i18n";
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

/** Turns a source's number into its name, said in words where it is one of the usual. */
export function useSourceName() {
  const { tx } = useWords();
  const sources = useSourceList().data?.items ?? [];
  return (id: number) => {
    const name = sources.find((source) => source.id === id)?.name ?? `#${id}`;
    return tx(`sourceName.${name}`, name);
  };
}
