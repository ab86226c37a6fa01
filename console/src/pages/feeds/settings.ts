import type { Schema } from "../../ui/SchemaForm";
import type { Document } from "./mapping";

/** Only what was filled in: an empty secret keeps the stored one. */
export const filled = (settings: Document | undefined): Document =>
  Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined && value !== "" && value !== null));

/** What a form begins with. */
export const defaultsOf = (schema: Schema): Document =>
  Object.fromEntries(Object.entries(schema.properties ?? {}).flatMap(([name, one]) => (one.default === undefined ? [] : [[name, one.default]])));

const SERVED = ["host", "port", "username", "password", "encryption", "schema"];

/** The schema of a kind as far as it matters with these values: a file has no host, whole reading no watermark. */
export function relevant(kind: string, schema: Schema, values: Document): Schema {
  if (kind !== "database") return schema;
  const needless = new Set([
    ...(values.dialect === "sqlite" ? SERVED : []),
    ...(values.mode === "incremental" ? [] : ["watermark", "overlap_seconds"]),
  ]);
  const kept = Object.entries(schema.properties ?? {}).filter(([name]) => !needless.has(name));
  const needed = [...(schema.required ?? []), "host", "watermark"].filter((name) => !needless.has(name));
  return { ...schema, properties: Object.fromEntries(kept), required: needed };
}

/** The setting that a refusal's `path` names: `settings.host`, `host`, `topics[0]`. */
export function settingOfPath(path: string | undefined, schema: Schema | undefined): string | undefined {
  const name = path?.replace(/^(body\.)?(settings\.)?/, "").split(/[.[]/)[0];
  return name !== undefined && name in (schema?.properties ?? {}) ? name : undefined;
}
