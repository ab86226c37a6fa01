import { Input } from "antd";
import { useState } from "react";

type Props = { id?: string; value?: unknown; onChange?: (value: unknown) => void; label?: string };

const written = (value: unknown) => (value === undefined || typeof value === "string" ? (value ?? "") : JSON.stringify(value, null, 2));

/** A JSON object as text; a text that is no object is handed on as it is, for a rule to refuse. */
export function JsonInput({ id, value, onChange, label }: Props) {
  const [typed, setTyped] = useState<{ text: string; value: unknown } | null>(null);
  const text = typed && typed.value === value ? typed.text : written(value);
  const change = (next: string) => {
    let parsed: unknown = next === "" ? undefined : next;
    try {
      const found: unknown = JSON.parse(next);
      if (typeof found === "object" && found !== null && !Array.isArray(found)) parsed = found;
    } catch {
      // not JSON yet: the text itself is the value
    }
    setTyped({ text: next, value: parsed });
    onChange?.(parsed);
  };
  return (
    <Input.TextArea
      id={id}
      aria-label={label}
      className="cl-mono"
      autoSize={{ minRows: 4, maxRows: 18 }}
      spellCheck={false}
      value={text}
      onChange={(e) => change(e.target.value)}
    />
  );
}
