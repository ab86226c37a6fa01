/** Shapes of the API that pages share. */
import type { Rule } from "../rules/model";

export type Titles = { [language: string]: string };
export type Page<T> = { items: T[]; next_cursor: string | null };
export type Permission =
  | "event.read" | "person.read" | "person.reveal" | "person.write" | "person.erase" | "person.export"
  | "segment.read" | "segment.write" | "analytics.read" | "journey.read" | "journey.write" | "journey.send"
  | "source.read" | "source.write" | "job.read" | "job.write" | "user.manage" | "audit.read" | "system.manage";

export type User = {
  id: string;
  username: string;
  roles: string[];
  dims: Record<string, string[]>;
  permissions: string[];
};
export type Session = { user: User; csrf: string; must_change: boolean };

export type Segment = {
  id: string;
  name: string;
  description: string;
  rule: Rule;
  state: string;
  count: number | null;
  suppressed: boolean;
  refreshed_at: string | null;
  sentence: Titles | null;
  etag: string;
  created_by: string;
  deleted_at: string | null;
};
export type SegmentCount = {
  count: number | null;
  suppressed: boolean;
  took_ms: number;
  sentence: Titles;
  as_of: string;
};

export type PersonSummary = {
  id: string;
  number: number;
  name: string | null;
  display: string;
  first_seen_at: string | null;
  last_seen_at: string | null;
};

export type EntityRef = { type: string; id: string; key: string; title?: string | null };
export type EventRow = {
  id: string;
  event: string;
  title: Titles | null;
  occurred_at: string;
  received_at: string;
  source: { id: number; name: string } | null;
  person: { id: string; display: string } | null;
  entities: EntityRef[];
  properties: Record<string, unknown>;
};
export type Relation = {
  kind: string;
  title: Titles;
  direction: string;
  entity: EntityRef | null;
  person: { id: string; display: string } | null;
  since: string | null;
  until: string | null;
  source: string | null;
};
