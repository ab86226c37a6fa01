import { dayKey } from "../../ui/format";
import type { Params } from "./queries";

const DAY = 86_400_000;

/** The funnel a first visit starts from: nothing chosen, the last 90 days. */
export function fresh(now = Date.now()): Params {
  return {
    steps: [],
    window: { days: 30 },
    from: `${dayKey(now - 89 * DAY)}T00:00:00+08:00`,
    to: `${dayKey(now + DAY)}T00:00:00+08:00`,
    breakdown: null,
    filter: null,
    entity: "person",
  };
}

/** The address bar holds the whole question, so that a link is a bookmark. */
export function read(search: URLSearchParams): Params {
  const text = search.get("f");
  if (!text) return fresh();
  try {
    return whole(JSON.parse(text) as Partial<Params>);
  } catch (cause) {
    if (cause instanceof SyntaxError) return fresh();
    throw cause;
  }
}

export function write(params: Params): Record<string, string> {
  return { f: JSON.stringify(params) };
}

/** A saved funnel may leave parts out; this one has them all. */
export function whole(params: Partial<Params>): Params {
  const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value != null));
  const filled: Params = { ...fresh(), ...given };
  return { ...filled, steps: filled.steps.map((step) => ({ ...step, where: step.where ?? [] })) };
}

export const askable = (params: Params) =>
  params.steps.length >= 2 && params.steps.every((step) => step.event !== "");
