import { api, unwrap } from "./client";

export type Overview = {
  persons: number;
  events_today: number;
  events_per_day: { day: string; count: number }[];
  top_events: { event: string; title: Record<string, string> | null; count: number }[];
  segments: number;
  sends: Record<string, number>;
  freshness_seconds: number | null;
  quarantine_open: number;
};

export const fetchOverview = () => unwrap<Overview>(api.GET("/api/overview"));
