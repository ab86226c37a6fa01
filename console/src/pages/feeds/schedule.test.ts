import { describe, expect, it } from "vitest";
import { cronWords, planFault, planOf, scheduleOf, waysOf } from "./schedule";
import { filled, relevant, settingOfPath } from "./settings";

describe("schedules", () => {
  it.each(["manual", "continuous", "every 15m", "every 10s", "every 99999d", "0 2 * * *", "*/5 8-18 * * 1-5"])("%s comes back as it was", (text) => {
    expect(scheduleOf(planOf(text))).toBe(text);
    expect(planFault(planOf(text))).toBeUndefined();
  });

  it.each([
    ["every 9s", "tooOften"], ["61 * * * *", "cron"], ["0 2 * *", "cron"], ["0 0 2 * * *", "cron"], ["@daily", "cron"], ["every 0m", "cron"], ["", "cron"],
  ])("%s is refused", (text, fault) => expect(planFault(planOf(text))).toBe(fault));

  it("refuses what the server's five digits cannot hold", () => {
    expect(planFault({ how: "every", n: 100_000, unit: "m" })).toBe("tooRare");
    expect(planFault({ how: "every", n: 0, unit: "h" })).toBe("tooOften");
    expect(planFault({ how: "every", n: 1.5, unit: "h" })).toBe("tooOften");
  });

  it("says a cron line in both languages", () => {
    expect(cronWords("30 2 * * *", "en")).toBe("At 02:30");
    expect(cronWords("30 2 * * *", "zh")).toMatch(/02:30/);
    expect(cronWords("30 2 * * 1", "zh")).toMatch(/星期一/);
    expect(cronWords("nonsense", "en")).toBeUndefined();
  });

  it("lets only sources without end go on", () => {
    expect(waysOf(true)).toEqual(["continuous", "manual"]);
    expect(waysOf(false)).not.toContain("continuous");
  });
});

const SCHEMA = {
  required: ["dialect", "database", "table"],
  properties: { dialect: {}, host: {}, database: {}, password: { writeOnly: true }, table: {}, mode: {}, watermark: {}, overlap_seconds: {} },
};

describe("settings", () => {
  it("asks a file for no host and whole reading for no watermark", () => {
    const shown = relevant("database", SCHEMA, { dialect: "sqlite", mode: "full" });
    expect(Object.keys(shown.properties!)).toEqual(["dialect", "database", "table", "mode"]);
    expect(shown.required).toEqual(["dialect", "database", "table"]);
  });

  it("needs a host of a server and a watermark to read what changed", () => {
    const shown = relevant("database", SCHEMA, { dialect: "mysql", mode: "incremental" });
    expect(Object.keys(shown.properties!)).toEqual(Object.keys(SCHEMA.properties));
    expect(shown.required).toEqual(["dialect", "database", "table", "host", "watermark"]);
  });

  it("leaves other kinds as they are", () => expect(relevant("kafka", SCHEMA, {})).toBe(SCHEMA));

  it("finds the setting a refusal names", () => {
    expect(settingOfPath("host", SCHEMA)).toBe("host");
    expect(settingOfPath("settings.table", SCHEMA)).toBe("table");
    expect(settingOfPath("database[0]", SCHEMA)).toBe("database");
    expect(settingOfPath("schedule", SCHEMA)).toBeUndefined();
    expect(settingOfPath(undefined, SCHEMA)).toBeUndefined();
  });

  it("sends nothing that was left empty, so that a stored secret stays", () => {
    expect(filled({ host: "db", password: "", port: null, key: [], overlap_seconds: 0, flag: false })).toEqual({ host: "db", key: [], overlap_seconds: 0, flag: false });
  });
});
