import { expect, test } from "vitest";
import { relevant } from "./settings";

const properties = (names: string) => ({ properties: Object.fromEntries(names.split(" ").map((name) => [name, { type: "string" }])) });
const shown = (kind: string, names: string, values: Record<string, unknown>) => {
  const { properties: kept, required } = relevant(kind, properties(names), values);
  return [Object.keys(kept ?? {}).join(" "), required?.join(" ")];
};

test("a SQLite file has no host, and a database of another kind needs one", () => {
  const names = "dialect host port database mode watermark overlap_seconds";
  expect(shown("database", names, { dialect: "sqlite", mode: "full" })).toEqual(["dialect database mode", ""]);
  expect(shown("database", names, { dialect: "mysql", mode: "incremental" })).toEqual([names, "host watermark"]);
  expect(shown("database", names, { mode: "full" })).toEqual(["dialect host port database mode", "host"]);
});

test("what is asked of files goes by where they are and what they hold", () => {
  const names = "place host bucket folder format record line_pattern changed";
  expect(shown("files", names, { format: "auto" })[0]).toBe("place format record line_pattern changed");
  expect(shown("files", names, { place: "local", format: "csv" })).toEqual(["place folder format changed", "folder"]);
  expect(shown("files", names, { place: "sftp", format: "xml" })).toEqual(["place host folder format record", "host username record"]);
  expect(shown("files", names, { place: "s3", format: "log" })[1]).toBe("bucket line_pattern");
});

test("what is asked of an API goes by its credentials and its paging", () => {
  const names = "url auth username token key_name paging next_path page_param first_page";
  expect(shown("http", names, { auth: "none", paging: "none" })).toEqual(["url auth paging", ""]);
  expect(shown("http", names, { auth: "query", paging: "page" })).toEqual(["url auth token key_name paging page_param first_page", "token key_name"]);
});
