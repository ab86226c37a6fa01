import { useMutation, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Column = {
  as: "identifier" | "profile" | "property" | "entity" | "time" | "ignore";
  type?: string;
  namespace?: string;
  field?: string;
  name?: string;
  format?: string;
};
export type Mapping = {
  columns: Record<string, Column>;
  events: { event: string; when?: unknown; time_column?: string | null }[];
  constants: Record<string, unknown>;
  key: string[];
  nulls: string[];
  zone: string;
};
export type Preview = Schemas["carloop__api__routers__imports__PreviewOut"];
export type Run = Schemas["JobOut"];

function form(file: File, fields: Record<string, string>): FormData {
  const data = new FormData();
  data.append("file", file);
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

/** The generated type describes the parts; `form` holds them. */
const parts = (file: File, fields: Record<string, string>) => ({
  body: { file: file.name, source: "", mapping: "", mapping_name: "", event: "", zone: "", dry_run: false, again: false },
  bodySerializer: () => form(file, fields),
});

export const usePreview = () =>
  useMutation({ mutationFn: (file: File) => unwrap(api.POST("/api/imports/preview", parts(file, {}))) });

export const useImport = () =>
  useMutation({
    mutationFn: ({ file, mapping, dry, source }: { file: File; mapping: Mapping; dry: boolean; source: string }) =>
      unwrap(
        api.POST("/api/imports", parts(file, { mapping: JSON.stringify(mapping), dry_run: String(dry), source })),
      ),
  });

export function useRun(id: string | null) {
  return useQuery({
    queryKey: ["job", id],
    queryFn: () => unwrap(api.GET("/api/jobs/{id}", { params: { path: { id: id! } } })),
    enabled: id !== null,
    refetchInterval: (query) => (["done", "failed", "cancelled"].includes(query.state.data?.state ?? "") ? false : 1_000),
  });
}
