/** Rules as the API writes them, and the small algebra the builder needs. */
export type Op = string;
export type Scalar = string | number | boolean | null;
export type Value = Scalar | Scalar[] | { days: number } | undefined;

export type Comparison = { property: string; op: Op; value?: Value };
export type Window =
  | { days: number }
  | { hours: number }
  | { minutes: number }
  | { weeks: number }
  | { months: number }
  | { from: string; to: string }
  | { calendar: "day" | "week" | "month" | "quarter" | "year"; offset: number };
export type Count = { op: Op; n: number };

export type Group = { kind: "all" | "any"; rules: Rule[] };
export type Not = { kind: "not"; rule: Rule };
export type Attribute = { kind: "attribute"; field: string; op: Op; value?: Value };
export type Performed = {
  kind: "performed";
  /** One event, or any of several. */
  event: string | string[];
  count?: Count;
  window?: Window;
  where?: Comparison[];
};
export type InSegment = { kind: "in_segment"; segment: string };
export type Everyone = { kind: "everyone" };
export type Rule = Group | Not | Attribute | Performed | InSegment | Everyone;

export const emptyRule = (): Group => ({ kind: "all", rules: [] });

/** The builder always edits a group; any other rule is wrapped in one. */
export function asGroup(rule: Rule | undefined): Group {
  if (!rule || rule.kind === "everyone") return emptyRule();
  return rule.kind === "all" || rule.kind === "any" ? rule : { kind: "all", rules: [rule] };
}

/** A group as the server should read it: an empty one means everyone. */
export function toServer(group: Group): Rule {
  return group.rules.length === 0 ? { kind: "everyone" } : group;
}

export function replaceAt<T>(list: readonly T[], index: number, value: T): T[] {
  return list.map((old, at) => (at === index ? value : old));
}

export function removeAt<T>(list: readonly T[], index: number): T[] {
  return list.filter((_, at) => at !== index);
}

const NO_VALUE = new Set(["exists", "not_exists"]);
const MANY = new Set(["in", "not_in"]);
const DAYS = new Set(["in_last", "not_in_last", "in_next", "anniversary_in_next"]);

export type Shape = "none" | "one" | "many" | "pair" | "days";

export function shapeOf(op: Op): Shape {
  if (NO_VALUE.has(op)) return "none";
  if (MANY.has(op)) return "many";
  if (op === "between") return "pair";
  return DAYS.has(op) ? "days" : "one";
}

const FALLBACK_OPS: Record<string, Op[]> = {
  string: ["=", "!=", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with", "exists", "not_exists"],
  number: ["=", "!=", "<", "<=", ">", ">=", "between", "exists", "not_exists"],
  boolean: ["=", "exists", "not_exists"],
  date: ["before", "after", "between", "in_last", "not_in_last", "in_next", "anniversary_in_next", "exists", "not_exists"],
  datetime: ["before", "after", "between", "in_last", "not_in_last", "in_next", "exists", "not_exists"],
  list: ["contains", "not_contains", "exists", "not_exists"],
  identifying: ["=", "!=", "in", "not_in", "exists", "not_exists"],
};

/** The comparisons of a type, as the catalogue says, else those of the rule language. */
export function opsFor(ops: Record<string, Op[]> | undefined, type: string, cls = ""): Op[] {
  const kind = cls === "identifying" ? "identifying" : type;
  return ops?.[kind] ?? FALLBACK_OPS[kind] ?? FALLBACK_OPS.string!;
}

/** A value of the right shape when the operator changes. */
export function reshape(value: Value, op: Op): Value {
  const shape = shapeOf(op);
  if (shape === "none") return undefined;
  if (shape === "days") return typeof value === "object" && value && "days" in value ? value : { days: 30 };
  if (shape === "many") return Array.isArray(value) ? value : value == null || typeof value === "object" ? [] : [value];
  if (shape === "pair") return Array.isArray(value) && value.length === 2 ? value : [null, null];
  if (Array.isArray(value)) return value[0] ?? null;
  return typeof value === "object" ? null : (value ?? null);
}

function filled(op: Op, value: Value): boolean {
  const shape = shapeOf(op);
  if (shape === "none") return true;
  if (shape === "many") return Array.isArray(value) && value.length > 0;
  if (shape === "pair") return Array.isArray(value) && value.length === 2 && value.every((v) => v != null && v !== "");
  if (shape === "days") return typeof value === "object" && value !== null && "days" in value && value.days > 0;
  return value !== null && value !== undefined && value !== "";
}

/** Whether every condition is filled in, so that the server can be asked. */
export function complete(rule: Rule): boolean {
  switch (rule.kind) {
    case "all":
    case "any":
      return rule.rules.length > 0 && rule.rules.every(complete);
    case "not":
      return complete(rule.rule);
    case "attribute":
      return rule.field !== "" && filled(rule.op, rule.value);
    case "performed":
      return rule.event.length > 0 && windowFilled(rule.window) && (rule.where ?? []).every((c) => c.property !== "" && filled(c.op, c.value));
    case "in_segment":
      return rule.segment !== "";
    case "everyone":
      return true;
  }
}

function windowFilled(window: Window | undefined): boolean {
  if (!window || !("from" in window)) return true;
  return window.from !== "" && window.to !== "" && window.from < window.to;
}
