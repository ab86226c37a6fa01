import { api, unwrap } from "./client";
import { every } from "./every";

/** Every segment, for choosers. */
export const fetchEverySegment = ({ signal }: { signal?: AbortSignal } = {}) =>
  every((cursor) => unwrap(api.GET("/api/segments", { params: { query: { limit: 200, cursor } }, signal })));
