import { DatePicker, InputNumber, Select, Space } from "antd";
import dayjs from "dayjs";
import { useWords, type Key } from "../i18n";
import type { Window } from "./model";

const UNITS = ["minutes", "hours", "days", "weeks", "months"] as const;
const CALENDAR = ["day", "week", "month", "quarter", "year"] as const;
type Mode = "ever" | "sliding" | "calendar" | "absolute";

function modeOf(window: Window | undefined): Mode {
  if (!window) return "ever";
  if ("calendar" in window) return "calendar";
  return "from" in window ? "absolute" : "sliding";
}

function start(mode: Mode): Window | undefined {
  if (mode === "ever") return undefined;
  if (mode === "calendar") return { calendar: "month", offset: 0 };
  if (mode === "absolute") return { from: "", to: "" };
  return { days: 90 };
}

function Sliding({ value, onChange }: { value: Record<string, number>; onChange: (w: Window) => void }) {
  const { t } = useWords();
  const unit = UNITS.find((u) => u in value) ?? "days";
  const make = (n: number, u: string) => onChange({ [u]: n } as Window);
  return (
    <Space.Compact>
      <InputNumber aria-label={t("window.length")} min={1} max={3650} value={value[unit]} onChange={(n) => make(n ?? 1, unit)} style={{ width: 80 }} />
      <Select
        aria-label={t("window.unit")}
        value={unit}
        onChange={(u) => make(value[unit] ?? 1, u)}
        options={UNITS.map((u) => ({ value: u, label: t(`unit.${u}` as Key) }))}
        style={{ width: 96 }}
      />
    </Space.Compact>
  );
}

/** When: ever, the last n days, a calendar period, or between two dates. */
export function WindowInput({ value, onChange }: { value: Window | undefined; onChange: (w: Window | undefined) => void }) {
  const { t } = useWords();
  const mode = modeOf(value);
  return (
    <Space size={6} wrap>
      <Select<Mode>
        aria-label={t("window.label")}
        value={mode}
        onChange={(next) => onChange(start(next))}
        options={(["ever", "sliding", "calendar", "absolute"] as const).map((m) => ({ value: m, label: t(`window.${m}`) }))}
        style={{ width: 120 }}
      />
      {mode === "sliding" && <Sliding value={value as Record<string, number>} onChange={onChange} />}
      {value && "calendar" in value && (
        <Space.Compact>
          <Select
            aria-label={t("window.offset")}
            value={value.offset}
            onChange={(offset) => onChange({ ...value, offset })}
            options={[0, -1, -2, -3].map((offset) => ({ value: offset, label: t(`window.offset${-offset}` as Key) }))}
            style={{ width: 110 }}
          />
          <Select
            aria-label={t("window.unit")}
            value={value.calendar}
            onChange={(calendar) => onChange({ ...value, calendar })}
            options={CALENDAR.map((u) => ({ value: u, label: t(`calendar.${u}`) }))}
            style={{ width: 100 }}
          />
        </Space.Compact>
      )}
      {value && "from" in value && (
        <DatePicker.RangePicker
          aria-label={t("window.absolute")}
          value={value.from ? [dayjs(value.from), dayjs(value.to).subtract(1, "day")] : null}
          onChange={(range) =>
            onChange({
              from: range?.[0] ? `${range[0].format("YYYY-MM-DD")}T00:00:00+08:00` : "",
              to: range?.[1] ? `${range[1].add(1, "day").format("YYYY-MM-DD")}T00:00:00+08:00` : "",
            })
          }
        />
      )}
    </Space>
  );
}
