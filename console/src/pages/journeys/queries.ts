import { api, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type JourneySummary = Schemas["JourneyOut"];

export const fetchJourneys = (cursor?: string) =>
  unwrap(api.GET("/api/journeys", { params: { query: { cursor } } }));
