import { Alert, Form, type FormInstance } from "antd";
import { useEffect } from "react";
import { Problem } from "../../api/client";
import { SchemaItems, type Schema } from "../../ui/SchemaForm";
import { useProblemText } from "../../ui/ErrorState";
import type { Document } from "./mapping";
import { defaultsOf, filled, relevant, settingOfPath } from "./settings";

type Fields = { settings: Document };
type Props = {
  form: FormInstance<Fields>;
  kind: string;
  schema: Schema;
  initial: Document;
  /** Of a feed that exists: its secrets may stay empty. */
  stored?: boolean;
  refused: unknown;
  onSubmit: (settings: Document) => void;
};

/** The settings of a kind; a refusal is shown at the setting it names. */
export function SettingsForm({ form, kind, schema, initial, stored, refused, onSubmit }: Props) {
  const text = useProblemText();
  const begun = { ...defaultsOf(schema), ...initial };
  const values = Form.useWatch("settings", form) ?? begun;
  const shown = relevant(kind, schema, values);
  const named = refused instanceof Problem ? settingOfPath(refused.path, shown) : undefined;
  useEffect(() => {
    if (named === undefined) return;
    form.setFields([{ name: ["settings", named], errors: [text(refused)] }]);
    form.scrollToField(["settings", named], { block: "center", focus: true });
  }, [refused, named, form]); // `text` is new with every drawing, and says the same
  return (
    <Form<Fields> form={form} layout="vertical" initialValues={{ settings: begun }} onFinish={(v) => onSubmit(filled(v.settings))}>
      <SchemaItems key={kind} schema={shown} prefix="settings" stored={stored} begun />
      {refused != null && named === undefined && <Alert role="alert" type="error" showIcon title={text(refused)} style={{ marginBottom: 16 }} />}
    </Form>
  );
}
