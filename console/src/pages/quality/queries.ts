import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, tagged, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type Share = Schemas["ShareOut"];
export type Score = Schemas["ScoreOut"];
export type Finding = Schemas["FindingOut"];
export type Alert = Schemas["AlertOut"];
export type QualityRule = Schemas["QualityRuleOut"];
export type CodeTable = Schemas["CodeTableOut"];
export type Thresholds = Schemas["ThresholdsDoc"];
export type Level = "source" | "table" | "field";
export type Place = { source?: number; table?: string };

const FINAL = ["done", "failed", "cancelled"];
const BUSY_MS = 1_000;

export const useSummary = (days: number) =>
  useQuery({
    queryKey: ["quality", "summary", days],
    queryFn: () => unwrap(api.GET("/api/quality/summary", { params: { query: { days } } })),
  });

export const useTrend = (days: number, place: Place) =>
  useQuery({
    queryKey: ["quality", "trend", days, place],
    queryFn: () => unwrap(api.GET("/api/quality/trend", { params: { query: { days, ...place } } })),
  });

export const fetchScores = (level: Level, days: number, place: Place, cursor?: string) =>
  unwrap(api.GET("/api/quality/scores", { params: { query: { level, days, ...place, cursor } } }));

export const fetchFindings = (days: number, place: Place, cursor?: string) =>
  unwrap(api.GET("/api/quality/findings", { params: { query: { days, ...place, cursor } } }));

export const fetchAlerts = (cursor?: string) =>
  unwrap(api.GET("/api/quality/alerts", { params: { query: { state: "open", cursor } } }));

export const fetchRules = (cursor?: string) =>
  unwrap(api.GET("/api/quality/rules", { params: { query: { cursor } } }));

export const fetchCodeTables = (cursor?: string) =>
  unwrap(api.GET("/api/quality/codes", { params: { query: { cursor } } }));

export const useThresholds = () =>
  useQuery({ queryKey: ["quality", "thresholds"], queryFn: () => unwrap(api.GET("/api/quality/thresholds")) });

/** A change after which everything of data quality is asked anew. */
function useChange<T, R>(run: (given: T) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: run, onSuccess: () => cache.invalidateQueries({ queryKey: ["quality"] }) });
}

export const useRunNow = () =>
  useMutation({ mutationFn: (days: number) => unwrap(api.POST("/api/quality/run", { body: { days } })) });

/** The job under way; once it is over, everything is asked anew. */
export function useRun(id: string | null) {
  const cache = useQueryClient();
  return useQuery({
    queryKey: ["job", id],
    queryFn: async () => {
      const job = await unwrap(api.GET("/api/jobs/{id}", { params: { path: { id: id! } } }));
      if (FINAL.includes(job.state)) void cache.invalidateQueries({ queryKey: ["quality"] });
      return job;
    },
    enabled: id !== null,
    refetchInterval: (query) => (FINAL.includes(query.state.data?.state ?? "") ? false : BUSY_MS),
  });
}

const matched = (rule: QualityRule) => ({ path: { id: rule.id }, header: { "if-match": `"${rule.revision}"` } });

export const useSwitch = () =>
  useChange(({ rule, enabled }: { rule: QualityRule; enabled: boolean }) =>
    unwrap(api.PATCH("/api/quality/rules/{id}", { params: matched(rule), body: { enabled } })),
  );

export type Edited = { rule: Record<string, unknown>; table: string; source: number };

export const useSaveRule = () =>
  useChange(({ before, edited }: { before: QualityRule | null; edited: Edited }) =>
    before
      ? tagged(api.PATCH("/api/quality/rules/{id}", { params: matched(before), body: edited }))
      : tagged(api.POST("/api/quality/rules", { body: { ...edited, enabled: true } })),
  );

export const useRemoveRule = () =>
  useChange((id: string) => unwrap(api.DELETE("/api/quality/rules/{id}", { params: { path: { id } } })));

export const useSaveThresholds = () => useChange((body: Thresholds) => unwrap(api.PUT("/api/quality/thresholds", { body })));

export const useSaveCodes = () =>
  useChange(({ name, codes }: { name: string; codes: { code: string; title: string }[] }) =>
    unwrap(api.PUT("/api/quality/codes/{name}", { params: { path: { name } }, body: { codes } })),
  );
