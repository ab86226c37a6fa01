import { Select } from "antd";
import { useMemo } from "react";
import type { Catalogue } from "../api/catalogue";
import { useWords } from "../i18n";

type Props = {
  catalogue: Catalogue;
  value: string;
  onChange: (event: string) => void;
  width?: number | string;
  allowClear?: boolean;
  placeholder?: string;
};

/** Choose an event of the plan, grouped by stage; found by title or by name. */
export function EventSelect({ catalogue, value, onChange, width = 200, allowClear, placeholder }: Props) {
  const { t, tx, title } = useWords();
  const options = useMemo(() => {
    const stages = [...new Set(catalogue.event_types.map((e) => e.stage))];
    return stages.map((stage) => ({
      label: tx(`stage.${stage}`, stage || t("stage.other")),
      title: stage,
      options: catalogue.event_types
        .filter((e) => e.stage === stage)
        .map((e) => ({ value: e.name, label: title(e.title, e.name), search: `${e.name} ${title(e.title)}`.toLowerCase() })),
    }));
  }, [catalogue, t, tx, title]);
  return (
    <Select
      aria-label={placeholder ?? t("rule.event")}
      value={value || undefined}
      placeholder={placeholder ?? t("rule.event")}
      allowClear={allowClear}
      showSearch={{
        filterOption: (text, option) => String((option as { search?: string })?.search ?? "").includes(text.toLowerCase()),
      }}
      options={options}
      onChange={(next?: string) => onChange(next ?? "")}
      popupMatchSelectWidth={false}
      style={{ width }}
    />
  );
}
