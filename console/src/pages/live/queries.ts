import { api, unwrap } from "../../api/client";

export type Filter = { event: string; source: string };

export const fetchEvents = (filter: Filter, cursor?: string) =>
  unwrap(
    api.GET("/api/events", {
      params: {
        query: {
          event: filter.event || undefined,
          source: filter.source ? Number(filter.source) : undefined,
          cursor,
          limit: 50,
        },
      },
    }),
  );
