import { describe, expect, it } from "vitest";
import type { Catalogue } from "../../api/catalogue";
import {
  asField, asRole, cellsOf, columnOfPath, concernsOf, isRows, linesOf, typeOf, withColumn, withEvent,
  type Line, type RowMapping,
} from "./mapping";

const named = (name: string) => ({ name, title: { zh: name, en: name } });
const CATALOGUE = {
  as_of: "2026-11-22T08:00:00Z", event_types: [], relation_types: [], ops: {},
  fields: [
    { ...named("name"), type: "string", class: "identifying", codes: null, ops: [] },
    { ...named("birthday"), type: "date", class: "descriptive", codes: null, ops: [] },
  ],
  identifier_types: [
    { ...named("vin"), entity: "vehicle", namespaced: false },
    { ...named("email"), entity: "person", namespaced: false },
    { ...named("mobile"), entity: "person", namespaced: false },
  ],
  entity_types: [named("dealer"), named("vehicle")],
} as unknown as Catalogue;

/** The mapping of docs/guides/connect-a-database.md, and more that only JSON can say. */
const MAPPING: RowMapping = {
  columns: {
    customer_phone: { as: "identifier", type: "mobile" },
    amount: { as: "property", name: "amount", type: "number" },
    ordered_at: { as: "time", format: "iso" },
    old_code: { as: "ignore" },
  },
  events: [
    { event: "dms_order_read" },
    { event: "order_cancelled", when: { column: "state", values: ["C"] }, time_column: "ordered_at" },
  ],
  constants: { system: "dms" },
  key: ["order_no"],
  nulls: ["-"],
  zone: "Asia/Urumqi",
  keep_unmapped: true,
};
const SEEN = [
  { name: "order_no", type: "integer" },
  { name: "customer_phone", type: "varchar(20)" },
  { name: "amount", type: "numeric(12, 2)" },
  { name: "ordered_at", type: "timestamp" },
];
const SAMPLE = [{ order_no: 1, customer_phone: "13966280700", amount: null }, { order_no: 2, customer_phone: "13966280700", amount: 9.5 }];
const line = (header: string, type = "", column?: Line["column"]): Line => ({ header, type, column, examples: [], gone: false });

describe("lines of the editor", () => {
  const lines = linesOf(MAPPING, SEEN, SAMPLE);

  it("has one line for every column of the source in its order, then what is gone", () => {
    expect(lines.map((one) => [one.header, one.column?.as, one.gone])).toEqual([
      ["order_no", undefined, false],
      ["customer_phone", "identifier", false],
      ["amount", "property", false],
      ["ordered_at", "time", false],
      ["old_code", "ignore", true],
    ]);
  });

  it("shows distinct examples and leaves out what is empty", () => {
    expect(lines.map((one) => one.examples)).toEqual([["1", "2"], ["13966280700"], ["9.5"], [], []]);
  });

  it("calls nothing gone before anybody looked at the source", () => {
    expect(linesOf(MAPPING, [], []).map((one) => one.gone)).toEqual([false, false, false, false]);
  });

  it("finds nested members by dotted name, as the server flattens them", () => {
    expect(cellsOf({ a: { b: 1 }, c: [1], d: null })).toEqual({ "a.b": 1, c: "[1]", d: null });
    expect(linesOf({ columns: {} }, [], [{ a: { b: 1 } }]).map((one) => one.header)).toEqual(["a.b"]);
  });
});

describe("changes", () => {
  it("says nothing about a column instead of leaving it out", () => {
    const unsaid = withColumn(MAPPING, "amount", asRole(line("amount", "", MAPPING.columns.amount), "", CATALOGUE));
    expect("amount" in unsaid.columns).toBe(false);
    const ignored = withColumn(MAPPING, "amount", asRole(line("amount", "", MAPPING.columns.amount), "ignore", CATALOGUE));
    expect(ignored.columns.amount).toEqual({ as: "ignore" });
  });

  it("keeps everything that the table does not show", () => {
    const changed = withEvent(withColumn(MAPPING, "order_no", { as: "property", name: "no" }), "order_placed");
    const { columns, events, ...rest } = changed;
    const { columns: before, events: _, ...others } = MAPPING;
    expect(rest).toEqual(others);
    expect(columns).toEqual({ ...before, order_no: { as: "property", name: "no" } });
    expect(events).toEqual([{ event: "order_placed" }, MAPPING.events![1]]);
  });

  it("does not change the document it was given", () => {
    const before = structuredClone(MAPPING);
    withColumn(MAPPING, "amount", undefined);
    withEvent(MAPPING, "x");
    expect(MAPPING).toEqual(before);
  });

  it("fills in what a role needs", () => {
    const as = (role: Parameters<typeof asRole>[1]) => asRole(line("paid", "decimal(9,2)"), role, CATALOGUE);
    expect(as("identifier")).toEqual({ as: "identifier", type: "mobile" });
    expect(as("entity")).toEqual({ as: "entity", type: "vehicle" });
    expect(as("property")).toEqual({ as: "property", name: "paid", type: "number" });
    expect(as("time")).toEqual({ as: "time", format: "iso" });
    expect(as("profile")).toEqual({ as: "profile", field: "name", type: "string" });
    expect(asRole(line("birthday"), "profile", CATALOGUE)).toEqual({ as: "profile", field: "birthday", type: "date" });
    expect(asField("birthday", CATALOGUE)).toEqual({ as: "profile", field: "birthday", type: "date" });
  });

  it("keeps a type that somebody chose when an attribute becomes a property", () => {
    const column = { as: "profile", field: "score", type: "number" } as const;
    expect(asRole(line("score", "text", column), "property", CATALOGUE)).toEqual({ as: "property", name: "score", type: "number" });
  });
});

describe("types", () => {
  it.each([
    ["INTEGER", "number"], ["numeric(12, 2)", "number"], ["double precision", "number"], ["bigint", "number"],
    ["boolean", "boolean"], ["timestamp", "datetime"], ["datetime", "datetime"], ["date", "date"],
    ["varchar(20)", "string"], ["interval", "string"], ["point", "string"], ["", "string"],
  ])("%s is %s", (declared, type) => expect(typeOf(declared)).toBe(type));
});

describe("concerns", () => {
  const of = (mapping: RowMapping) => concernsOf(mapping, linesOf(mapping, SEEN, SAMPLE));

  it("has none about a sound mapping", () => expect(of(MAPPING)).toEqual([]));

  it("tells what is missing", () => {
    expect(of({ columns: {}, events: [{ event: " " }] })).toEqual(["noEvent", "noPerson", "noTime"]);
    expect(of({ ...MAPPING, columns: { ...MAPPING.columns, a: { as: "property", name: "" } } })).toEqual(["noName"]);
    expect(of({ ...MAPPING, columns: { ...MAPPING.columns, a: { as: "property", name: "amount" } } })).toEqual(["sameName"]);
    expect(of({ ...MAPPING, columns: { ...MAPPING.columns, a: { as: "entity", type: "" } } })).toEqual(["noType"]);
    expect(of({ ...MAPPING, key: ["nowhere"] })).toEqual(["keyGone"]);
  });
});

describe("documents and refusals", () => {
  it("tells a mapping of columns from one of paths", () => {
    expect(isRows(MAPPING)).toBe(true);
    expect(isRows({ event: "x", identifiers: [] })).toBe(false);
    expect(isRows("{")).toBe(false);
  });

  it("finds the column a refusal is about", () => {
    const headers = ["a", "a.b", "vin"];
    expect(columnOfPath("columns.a.b.property.name", headers)).toBe("a.b");
    expect(columnOfPath("vin", headers)).toBe("vin");
    expect(columnOfPath("events.0.event", headers)).toBeUndefined();
    expect(columnOfPath(undefined, headers)).toBeUndefined();
  });
});
