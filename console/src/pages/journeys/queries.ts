import { api, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

export type JourneySummary = {
  id: string;
  name: string;
  status: string;
  version: number;
  updated_at: string;
  created_by: string;
};

export const fetchJourneys = (cursor?: string) =>
  unwrap<Page<JourneySummary>>(api.GET("/api/journeys", { params: { query: { cursor } } }));
