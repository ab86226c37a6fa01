import { DatePicker, Input, InputNumber, Select, Space } from "antd";
import dayjs from "dayjs";
import { useWords, type Titles } from "../i18n";
import { shapeOf, type Op, type Scalar, type Value } from "./model";

type Props = {
  type: string;
  op: Op;
  value: Value;
  codes?: Record<string, Titles> | string[] | null;
  label: string;
  onChange: (value: Value) => void;
};

function useOptions(codes: Props["codes"]) {
  const { title } = useWords();
  if (!codes) return [];
  if (Array.isArray(codes)) return codes.map((code) => ({ value: code, label: code }));
  return Object.entries(codes).map(([code, titles]) => ({ value: code, label: title(titles, code) }));
}

function One({ type, value, label, onChange, options }: {
  type: string;
  value: Scalar;
  label: string;
  onChange: (value: Scalar) => void;
  options: { value: string; label: string }[];
}) {
  const { t } = useWords();
  if (type === "number") {
    return <InputNumber aria-label={label} value={value as number | null} onChange={onChange} style={{ width: 140 }} />;
  }
  if (type === "boolean") {
    const choices = [{ value: true, label: t("rule.true") }, { value: false, label: t("rule.false") }];
    return <Select aria-label={label} value={value as boolean | null} options={choices} onChange={onChange} style={{ width: 100 }} />;
  }
  if (type === "date" || type === "datetime") {
    return (
      <DatePicker
        aria-label={label}
        value={value ? dayjs(String(value)) : null}
        onChange={(day) => onChange(day ? day.format("YYYY-MM-DD") : null)}
      />
    );
  }
  if (options.length > 0) {
    return (
      <Select
        aria-label={label}
        value={value as string | null}
        options={options}
        showSearch={{ optionFilterProp: "label" }}
        onChange={onChange}
        style={{ width: 180 }}
      />
    );
  }
  return (
    <Input
      aria-label={label}
      value={(value as string | null) ?? ""}
      placeholder={t("rule.value")}
      onChange={(event) => onChange(event.target.value)}
      style={{ width: 180 }}
    />
  );
}

/** The input that fits a type and an operator. */
export function ValueInput({ type, op, value, codes, label, onChange }: Props) {
  const { t } = useWords();
  const options = useOptions(codes);
  const shape = shapeOf(op);
  if (shape === "none") return null;
  if (shape === "days") {
    const days = typeof value === "object" && value && "days" in value ? value.days : null;
    return (
      <Space.Compact>
        <InputNumber aria-label={label} min={1} max={3650} value={days} onChange={(n) => onChange({ days: n ?? 1 })} style={{ width: 90 }} />
        <Space.Addon>{t("unit.days")}</Space.Addon>
      </Space.Compact>
    );
  }
  if (shape === "many") {
    const numeric = type === "number";
    return (
      <Select
        aria-label={label}
        mode={options.length > 0 ? "multiple" : "tags"}
        value={Array.isArray(value) ? value.map(String) : []}
        options={options}
        tokenSeparators={[",", "，", ";"]}
        placeholder={t("rule.values")}
        onChange={(list: string[]) => onChange(numeric ? list.map(Number).filter(Number.isFinite) : list)}
        style={{ minWidth: 220, maxWidth: 420 }}
      />
    );
  }
  if (shape === "pair") {
    const [low = null, high = null] = Array.isArray(value) ? value : [];
    return (
      <Space size={6}>
        <One type={type} value={low} label={t("rule.from")} options={[]} onChange={(v) => onChange([v, high])} />
        <span aria-hidden>–</span>
        <One type={type} value={high} label={t("rule.to")} options={[]} onChange={(v) => onChange([low, v])} />
      </Space>
    );
  }
  const scalar = Array.isArray(value) || (typeof value === "object" && value !== null) ? null : (value ?? null);
  return <One type={type} value={scalar} label={label} options={options} onChange={onChange} />;
}
