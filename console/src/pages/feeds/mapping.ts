import type { Catalogue } from "../../api/catalogue";

export const ROLES = ["identifier", "profile", "property", "entity", "time", "ignore"] as const;
export const TYPES = ["string", "number", "boolean", "date", "datetime", "list"] as const;
export type Role = (typeof ROLES)[number];
export type Column = { as: Role; type?: string; namespace?: string; field?: string; name?: string; format?: string };
export type Document = Record<string, unknown>;
export type RowMapping = Document & {
  columns: Record<string, Column>;
  events?: { event: string; when?: unknown; time_column?: string | null }[];
  key?: string[];
  zone?: string;
  keep_unmapped?: boolean;
};
export type SeenColumn = { name: string; type: string };
/** One column of the source as the editor shows it; without `column` nobody said what it means. */
export type Line = { header: string; type: string; examples: string[]; column?: Column; gone: boolean };
export type Concern = "noEvent" | "noName" | "noType" | "sameName" | "noPerson" | "noTime" | "keyGone";

/** What a mapping must not be saved with; the other concerns are only told. */
export const BLOCKING: readonly Concern[] = ["noEvent", "noName", "noType"];
const MOST_EXAMPLES = 3;
const NUMBERS = /int|numeric|decimal|real|double|float|number/;

export const isObject = (value: unknown): value is Document =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A mapping of columns, as the table edits it; any other says paths into nested records. */
export const isRows = (value: unknown): value is RowMapping => isObject(value) && isObject(value.columns);

/** The cells of a record by dotted name, lists as JSON, as the server flattens them. */
export function cellsOf(record: Document, prefix = ""): Document {
  const cells: Document = {};
  for (const [name, value] of Object.entries(record)) {
    if (isObject(value)) Object.assign(cells, cellsOf(value, `${prefix}${name}.`));
    else cells[prefix + name] = Array.isArray(value) ? JSON.stringify(value) : value;
  }
  return cells;
}

/** The names of all cells: the source's columns first, in its order, then what only samples hold. */
export const headersOf = (seen: SeenColumn[], sample: Document[]): string[] => [
  ...new Set([...seen.map((one) => one.name), ...sample.flatMap((record) => Object.keys(cellsOf(record)))]),
];

/** A line for every column seen, then those that are mapped but were not seen: `gone`. */
export function linesOf(mapping: RowMapping, seen: SeenColumn[], sample: Document[]): Line[] {
  const flat = sample.map((record) => cellsOf(record));
  const types = new Map(seen.map((one) => [one.name, one.type]));
  const headers = headersOf(seen, sample);
  const missing = Object.keys(mapping.columns).filter((name) => !headers.includes(name));
  return [...headers, ...missing].map((header) => ({
    header,
    type: types.get(header) ?? "",
    examples: [...new Set(flat.map((cells) => cells[header]).filter((v) => v != null && v !== "").map(String))].slice(0, MOST_EXAMPLES),
    column: mapping.columns[header],
    gone: headers.length > 0 && missing.includes(header),
  }));
}

/** The type of a property, told from what the source calls its column. */
export function typeOf(declared: string): string {
  const type = declared.toLowerCase();
  if (/bool/.test(type)) return "boolean";
  if (/timestamp|datetime/.test(type)) return "datetime";
  if (/^date/.test(type)) return "date";
  return NUMBERS.test(type) && !/interval|point/.test(type) ? "number" : "string";
}

const first = (names: { name: string }[], wished: string): string =>
  (names.find((one) => one.name === wished) ?? names[0])?.name ?? "";

export const personIdentifiers = (catalogue: Catalogue) => catalogue.identifier_types.filter((one) => one.entity === "person");

/** A column in a new role, with what it needs filled in; undefined takes its meaning away. */
export function asRole(line: Line, role: Role | "", catalogue: Catalogue): Column | undefined {
  if (role === "") return undefined;
  if (role === line.column?.as) return line.column;
  const known = line.column && (line.column.as === "profile" || line.column.as === "property") ? line.column.type : undefined;
  switch (role) {
    case "identifier":
      return { as: role, type: first(personIdentifiers(catalogue), "mobile") };
    case "entity":
      return { as: role, type: first(catalogue.entity_types, "vehicle") };
    case "profile":
      return asField(first(catalogue.fields, line.header), catalogue);
    case "property":
      return { as: role, name: line.header, type: known ?? typeOf(line.type) };
    case "time":
      return { as: role, format: "iso" };
    case "ignore":
      return { as: role };
  }
}

/** A profile column of this field, with the field's own type. */
export function asField(field: string, catalogue: Catalogue): Column {
  const type = catalogue.fields.find((one) => one.name === field)?.type ?? "string";
  return { as: "profile", field, type };
}

/** The mapping with one column's meaning changed or taken away; order and all else stay. */
export function withColumn(mapping: RowMapping, header: string, column: Column | undefined): RowMapping {
  if (column) return { ...mapping, columns: { ...mapping.columns, [header]: column } };
  const rest = Object.entries(mapping.columns).filter(([name]) => name !== header);
  return { ...mapping, columns: Object.fromEntries(rest) };
}

/** The mapping with another name of its first event; further events and conditions stay. */
export function withEvent(mapping: RowMapping, event: string): RowMapping {
  const [one, ...rest] = mapping.events ?? [];
  return { ...mapping, events: [{ ...one, event }, ...rest] };
}

/** What is missing or looks wrong. */
export function concernsOf(mapping: RowMapping, lines: Line[]): Concern[] {
  const columns = Object.values(mapping.columns);
  const names = columns.flatMap((c) => (c.as === "property" && c.name ? [c.name] : []));
  const is = (...roles: Role[]) => columns.some((c) => roles.includes(c.as));
  const untyped = (c: Column) => ((c.as === "identifier" || c.as === "entity") && !c.type) || (c.as === "profile" && !c.field);
  const found: [Concern, boolean][] = [
    ["noEvent", (mapping.events ?? []).some((one) => !one.event.trim()) || mapping.events?.length === 0],
    ["noName", columns.some((c) => c.as === "property" && !c.name?.trim())],
    ["noType", columns.some(untyped)],
    ["sameName", new Set(names).size < names.length],
    ["noPerson", !is("identifier", "entity")],
    ["noTime", !is("time")],
    ["keyGone", (mapping.key ?? []).some((name) => !lines.some((line) => line.header === name && !line.gone))],
  ];
  return found.flatMap(([concern, holds]) => (holds ? [concern] : []));
}

/** The column that a refusal's `path` names, whether as `columns.<name>.…` or by its bare name. */
export function columnOfPath(path: string | undefined, headers: string[]): string | undefined {
  if (!path) return undefined;
  const inner = path.replace(/^(body\.)?(mapping\.)?columns\./, "");
  return headers
    .filter((header) => inner === header || inner.startsWith(`${header}.`))
    .sort((a, b) => b.length - a.length)[0];
}
