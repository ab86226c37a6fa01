/** Shapes of the API that pages share, by shorter names. */
import type { components } from "./schema.gen";

export type Schemas = components["schemas"];
export type Titles = { [language: string]: string };
export type Page<T> = { items: T[]; next_cursor: string | null };
export type Permission = Schemas["Permission"];
export type Session = Schemas["SessionOut"];
export type Segment = Schemas["SegmentOut"];
export type PersonSummary = Schemas["PersonSummary"];
export type EventRow = Schemas["EventOut"];
export type Job = Schemas["JobOut"];
