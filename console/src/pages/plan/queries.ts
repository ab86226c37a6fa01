import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, tagged, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type PlanEvent = Schemas["PlanEventOut"];
export type PlanEventDetail = Schemas["PlanEventDetail"] & { etag: string };
export type PlanEventBody = Schemas["PlanEventBody"];
export type PlannedProperty = Schemas["PlannedPropertyDocument"];
export type Status = Schemas["PointStatus"];
export type FieldType = Schemas["FieldType"];
export type Coverage = Schemas["PlanCoverageOut"];
export type Unplanned = Schemas["UnplannedOut"];
export type Misfit = Schemas["MisfitOut"];
export type Metric = Schemas["MetricOut"];
export type Change = Schemas["ChangeOut"];
export type Version = Schemas["PlanVersionOut"];
export type PlanSettings = Schemas["PlanSettingsDocument"];
export type Severities = Schemas["SeveritiesDocument"];
export type ImportPreview = Schemas["ImportPreviewOut"];
export type Mode = "merge" | "replace";

export const STATUSES: Status[] = ["design", "test", "accept", "live", "retired"];
export const TYPES: FieldType[] = ["string", "number", "boolean", "date", "datetime", "list"];
export const ANYWHERE = "*";

export const usePlan = () =>
  useQuery({ queryKey: ["plan"], queryFn: () => tagged(api.GET("/api/plan")) });

export const useCoverage = () =>
  useQuery({ queryKey: ["plan", "coverage"], queryFn: () => unwrap(api.GET("/api/plan/coverage")) });

export type EventFilter = { touchpoint?: string; status?: Status; q?: string };

export const fetchEvents = (filter: EventFilter, cursor?: string) =>
  unwrap(api.GET("/api/plan/events", { params: { query: { ...filter, cursor } } }));

export const useEvent = (name: string | null) =>
  useQuery({
    queryKey: ["plan", "event", name],
    queryFn: () => tagged(api.GET("/api/plan/events/{name}", { params: { path: { name: name! } } })),
    enabled: name !== null,
  });

export const fetchUnplanned = (cursor?: string) => unwrap(api.GET("/api/plan/unplanned", { params: { query: { cursor } } }));
export const fetchMisfits = (cursor?: string) => unwrap(api.GET("/api/plan/violations", { params: { query: { cursor } } }));
export const fetchMetrics = (cursor?: string) => unwrap(api.GET("/api/plan/metrics", { params: { query: { cursor } } }));
export const fetchVersions = (cursor?: string) => unwrap(api.GET("/api/plan/versions", { params: { query: { cursor } } }));

/** Changes between two versions; `next` null is the plan under work, `old` 0 the packs alone. */
export const fetchChanges = (old: number, next: number | null, cursor?: string) =>
  unwrap(api.GET("/api/plan/changes", { params: { query: { old, new: next ?? undefined, cursor } } }));

export const usePlanSettings = () =>
  useQuery({ queryKey: ["plan", "settings"], queryFn: () => tagged(api.GET("/api/plan/settings")) });

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: ["plan"] }) });
}

export const useSaveEvent = () =>
  useChange(({ name, etag, body }: { name: string; etag: string; body: PlanEventBody }) =>
    unwrap(api.PUT("/api/plan/events/{name}", { params: { path: { name }, header: { "if-match": etag } }, body })),
  );

export const useRemoveEvent = () =>
  useChange(({ name, etag }: { name: string; etag: string }) =>
    unwrap(api.DELETE("/api/plan/events/{name}", { params: { path: { name }, header: { "if-match": etag } } })),
  );

export const useSaveSettings = () =>
  useChange(({ etag, body }: { etag: string; body: PlanSettings }) =>
    unwrap(api.PUT("/api/plan/settings", { params: { header: { "if-match": etag } }, body })),
  );

export const usePublish = () =>
  useChange(({ etag, note }: { etag: string; note: string }) =>
    unwrap(api.POST("/api/plan/versions", { params: { header: { "if-match": etag } }, body: { note } })),
  );

export const useRestore = () =>
  useChange(({ id, etag, note }: { id: number; etag: string; note: string }) =>
    unwrap(api.POST("/api/plan/versions/{id}/restore", { params: { path: { id }, header: { "if-match": etag } }, body: { note } })),
  );

/** The generated type describes the parts; the serializer holds them. */
const parts = (file: File, mode: Mode) => ({
  body: { file: file.name, mode },
  bodySerializer: () => {
    const data = new FormData();
    data.append("file", file);
    data.append("mode", mode);
    return data;
  },
});

export const usePreviewImport = () =>
  useMutation({
    mutationFn: ({ file, mode }: { file: File; mode: Mode }) => unwrap(api.POST("/api/plan/import/preview", parts(file, mode))),
  });

export const useImportPlan = () =>
  useChange(({ file, mode, etag }: { file: File; mode: Mode; etag: string }) =>
    unwrap(api.POST("/api/plan/import", { params: { header: { "if-match": etag } }, ...parts(file, mode) })),
  );
