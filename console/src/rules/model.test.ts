import { describe, expect, it } from "vitest";
import { asGroup, complete, opsFor, reshape, shapeOf, toServer, type Rule } from "./model";

const lead: Rule = { kind: "performed", event: "lead_submitted", window: { days: 90 } };

describe("rules", () => {
  it("edits a group, whatever the stored rule is", () => {
    expect(asGroup(undefined)).toEqual({ kind: "all", rules: [] });
    expect(asGroup({ kind: "everyone" })).toEqual({ kind: "all", rules: [] });
    expect(asGroup(lead)).toEqual({ kind: "all", rules: [lead] });
    expect(asGroup({ kind: "any", rules: [lead] })).toEqual({ kind: "any", rules: [lead] });
  });

  it("sends an empty group as everyone", () => {
    expect(toServer({ kind: "all", rules: [] })).toEqual({ kind: "everyone" });
  });

  it("asks only for rules that are filled in", () => {
    expect(complete(lead)).toBe(true);
    expect(complete({ kind: "performed", event: "" })).toBe(false);
    expect(complete({ kind: "attribute", field: "city", op: "=", value: "" })).toBe(false);
    expect(complete({ kind: "attribute", field: "city", op: "exists" })).toBe(true);
    expect(complete({ kind: "attribute", field: "age", op: "between", value: [1, null] })).toBe(false);
    expect(complete({ kind: "attribute", field: "age", op: "=", value: 0 })).toBe(true);
    expect(complete({ kind: "not", rule: { kind: "in_segment", segment: "" } })).toBe(false);
    expect(complete({ kind: "performed", event: "x", window: { from: "2026-02-01", to: "2026-01-01" } })).toBe(false);
  });

  it("keeps what fits when the operator changes", () => {
    expect(reshape("上海", "in")).toEqual(["上海"]);
    expect(reshape(["上海", "北京"], "=")).toBe("上海");
    expect(reshape("上海", "exists")).toBeUndefined();
    expect(reshape("上海", "in_last")).toEqual({ days: 30 });
    expect(reshape({ days: 7 }, "not_in_last")).toEqual({ days: 7 });
    expect(reshape(3, "between")).toEqual([null, null]);
  });

  it("offers equality and presence alone for identifying fields", () => {
    expect(opsFor(undefined, "string", "identifying")).toEqual(["=", "!=", "in", "not_in", "exists", "not_exists"]);
    expect(opsFor({ string: ["="] }, "string")).toEqual(["="]);
    expect(shapeOf("anniversary_in_next")).toBe("days");
  });
});
