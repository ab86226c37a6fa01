import { useMutation, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

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
export type Preview = {
  headers: string[];
  rows: (string | null)[][];
  mapping: Mapping;
  encoding: string | null;
};
export type Run = { id: string; state: string; progress: number; total: number | null; message: string; result: Record<string, unknown> | null };

function form(file: File, fields: Record<string, string>): FormData {
  const data = new FormData();
  data.append("file", file);
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

const plain = { bodySerializer: (body: FormData) => body };

export const usePreview = () =>
  useMutation({
    mutationFn: (file: File) =>
      unwrap<Preview>(api.POST("/api/imports/preview", { body: form(file, {}), ...plain })),
  });

export const useImport = () =>
  useMutation({
    mutationFn: ({ file, mapping, dry, source }: { file: File; mapping: Mapping; dry: boolean; source: string }) =>
      unwrap<Run>(
        api.POST("/api/imports", {
          body: form(file, { mapping: JSON.stringify(mapping), dry_run: String(dry), source }),
          ...plain,
        }),
      ),
  });

export function useRun(id: string | null) {
  return useQuery({
    queryKey: ["job", id],
    queryFn: () => unwrap<Run>(api.GET("/api/jobs/{id}", { params: { path: { id } } })),
    enabled: id !== null,
    refetchInterval: (query) => (["done", "failed", "cancelled"].includes(query.state.data?.state ?? "") ? false : 1_000),
  });
}

export function useFileSources() {
  return useQuery({
    queryKey: ["sources", "names"],
    queryFn: () => unwrap<Page<{ id: number; name: string }>>(api.GET("/api/sources")),
  });
}
