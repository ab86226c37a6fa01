import { Form, Input, InputNumber, Select, Switch } from "antd";
import { useWords } from "../i18n";

export type Schema = {
  type?: string;
  title?: string;
  description?: string;
  format?: string;
  enum?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  writeOnly?: boolean;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
};

function control(schema: Schema) {
  const kind = schema.type ?? schema.anyOf?.find((one) => one.type !== "null")?.type;
  if (schema.enum) return <Select options={schema.enum.map((value) => ({ value, label: value }))} />;
  if (kind === "boolean") return <Switch />;
  if (kind === "integer" || kind === "number") {
    return <InputNumber min={schema.minimum} max={schema.maximum} style={{ width: 180 }} />;
  }
  if (kind === "array") return <Select mode="tags" tokenSeparators={[",", " "]} open={false} />;
  if (schema.writeOnly) return <Input.Password autoComplete="new-password" />;
  return <Input />;
}

/** Form items for a flat JSON schema; `stored`: secrets may stay empty to be kept. */
export function SchemaItems({ schema, prefix, stored }: { schema: Schema; prefix: string; stored?: boolean }) {
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
            initialValue={stored ? undefined : one.default}
            valuePropName={one.type === "boolean" ? "checked" : "value"}
            rules={schema.required?.includes(name) && !kept ? [{ required: true, message: t("form.required") }] : []}
          >
            {control(one)}
          </Form.Item>
        );
      })}
    </>
  );
}
