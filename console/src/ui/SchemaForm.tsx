import { Form, Input, InputNumber, Select, Switch } from "antd";
import type { CSSProperties } from "react";
import { useWords } from "../i18n";
import { JsonInput } from "./JsonInput";

export type Schema = {
  type?: string;
  title?: string;
  description?: string;
  format?: string;
  enum?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  writeOnly?: boolean;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
};

/** From this length on a text may have lines, as certificates do. */
const LINES = 10_000;
/** A secret of several lines, which no password field holds. */
const HIDDEN = { WebkitTextSecurity: "disc" } as CSSProperties;

function control(name: string, schema: Schema, tx: (key: string, fallback: string) => string) {
  const kind = schema.type ?? schema.anyOf?.find((one) => one.type !== "null")?.type;
  if (schema.enum) return <Select options={schema.enum.map((value) => ({ value, label: tx(`option.${name}.${value}`, value) }))} />;
  if (kind === "object") return <JsonInput />;
  if (kind === "boolean") return <Switch />;
  if (kind === "integer" || kind === "number") {
    return <InputNumber min={schema.minimum} max={schema.maximum} style={{ width: 180 }} />;
  }
  if (kind === "array") return <Select mode="tags" tokenSeparators={[",", " "]} open={false} />;
  if (kind === "string" && (schema.maxLength ?? 0) >= LINES) {
    return <Input.TextArea className="cl-mono" autoSize={{ minRows: 3, maxRows: 8 }} spellCheck={false} autoComplete="off" style={schema.writeOnly ? HIDDEN : undefined} />;
  }
  if (schema.writeOnly) return <Input.Password autoComplete="new-password" />;
  return <Input />;
}

type Items = { schema: Schema; prefix: string; stored?: boolean; begun?: boolean };

/** Form items for a flat JSON schema; `stored`: secrets may stay empty to be kept; `begun`: the form has the defaults itself. */
export function SchemaItems({ schema, prefix, stored, begun }: Items) {
  const { t, tx } = useWords();
  return (
    <>
      {Object.entries(schema.properties ?? {}).map(([name, one]) => {
        const kept = stored && one.writeOnly;
        return (
          <Form.Item
            key={name}
            name={[prefix, name]}
            label={tx(`setting.${name}`, one.title ?? name)}
            extra={kept ? t("form.secretKept") : tx(`setting.${name}.hint`, one.description ?? "")}
            initialValue={stored || begun ? undefined : one.default}
            valuePropName={one.type === "boolean" ? "checked" : "value"}
            rules={[
              ...(schema.required?.includes(name) && !kept ? [{ required: true, message: t("form.required") }] : []),
              ...(one.type === "object" ? [{ type: "object" as const, message: t("form.json") }] : []),
            ]}
          >
            {control(name, one, tx)}
          </Form.Item>
        );
      })}
    </>
  );
}
