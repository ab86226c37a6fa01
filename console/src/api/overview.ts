import { api, unwrap } from "./client";
import type { Schemas } from "./types";

export type Overview = Schemas["OverviewOut"];

export const fetchOverview = () => unwrap(api.GET("/api/overview"));
