import type { Schema } from "../../ui/SchemaForm";
import type { Document } from "./mapping";

/** Only what was filled in: an empty secret keeps the stored one. */
export const filled = (settings: Document | undefined): Document =>
  Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined && value !== "" && value !== null));

/** What a form begins with. */
export const defaultsOf = (schema: Schema): Document =>
  Object.fromEntries(Object.entries(schema.properties ?? {}).flatMap(([name, one]) => (one.default === undefined ? [] : [[name, one.default]])));

/** Settings that matter only with some value of another one; those marked ! are needed then. */
type Only = { of: string; values: string[]; names: string[] };
const ONLY: Record<string, Only[]> = {
  database: [
    { of: "dialect", values: ["postgresql", "mysql", ""], names: ["host!", "port", "username", "password", "encryption", "schema"] },
    { of: "mode", values: ["incremental"], names: ["watermark!", "overlap_seconds"] },
  ],
  files: [
    { of: "place", values: ["local", "sftp", "s3"], names: ["folder"] },
    { of: "place", values: ["local"], names: ["folder!"] },
    { of: "place", values: ["sftp"], names: ["host!", "port", "username!", "password", "private_key", "host_key"] },
    { of: "place", values: ["s3"], names: ["endpoint", "region", "bucket!", "access_key_id", "secret_access_key", "addressing"] },
    { of: "place", values: ["sftp", "s3"], names: ["timeout_seconds"] },
    { of: "format", values: ["auto", "xml"], names: ["record"] },
    { of: "format", values: ["xml"], names: ["record!"] },
    { of: "format", values: ["auto", "log"], names: ["line_pattern", "unmatched"] },
    { of: "format", values: ["log"], names: ["line_pattern!"] },
    { of: "format", values: ["auto", "csv", "jsonl", "xml", "log"], names: ["text_encoding"] },
    { of: "format", values: ["auto", "csv", "jsonl", "log"], names: ["changed"] },
  ],
  http: [
    { of: "auth", values: ["basic"], names: ["username!", "password"] },
    { of: "auth", values: ["bearer", "header", "query"], names: ["token!"] },
    { of: "auth", values: ["header", "query"], names: ["key_name"] },
    { of: "auth", values: ["query"], names: ["key_name!"] },
    { of: "paging", values: ["cursor", "link"], names: ["next_path"] },
    { of: "paging", values: ["cursor"], names: ["next_path!"] },
    { of: "paging", values: ["cursor", "page", "offset"], names: ["page_param"] },
    { of: "paging", values: ["page"], names: ["first_page"] },
    { of: "paging", values: ["cursor", "link", "page", "offset"], names: ["size_param", "page_size"] },
  ],
};

/** The schema of a kind as far as it matters with these values: a file has no host, whole reading no watermark. */
export function relevant(kind: string, schema: Schema, values: Document): Schema {
  const rules = ONLY[kind];
  if (rules === undefined) return schema;
  const conditional = new Set(rules.flatMap((rule) => rule.names.map((name) => name.replace("!", ""))));
  const holding = rules.filter((rule) => rule.values.includes(String(values[rule.of] ?? "")));
  const open = new Set(holding.flatMap((rule) => rule.names.map((name) => name.replace("!", ""))));
  const needed = holding.flatMap((rule) => rule.names.filter((name) => name.endsWith("!")).map((name) => name.slice(0, -1)));
  const kept = Object.entries(schema.properties ?? {}).filter(([name]) => !conditional.has(name) || open.has(name));
  return { ...schema, properties: Object.fromEntries(kept), required: [...new Set([...(schema.required ?? []), ...needed])] };
}

/** The setting that a refusal's `path` names: `settings.host`, `host`, `topics[0]`. */
export function settingOfPath(path: string | undefined, schema: Schema | undefined): string | undefined {
  const name = path?.replace(/^(body\.)?(settings\.)?/, "").split(/[.[]/)[0];
  return name !== undefined && name in (schema?.properties ?? {}) ? name : undefined;
}
