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

function useOptions(catalogue: Catalogue) {
  const { t, tx, title } = useWords();
  return useMemo(() => {
    const stages = [...new Set(catalogue.event_types.map((e) => e.stage))];
    return stages.map((stage) => ({
      label: tx(`stage.${stage}`, stage || t("stage.other")),
      title: stage,
      options: catalogue.event_types
        .filter((e) => e.stage === stage)
        .map((e) => ({ value: e.name, label: title(e.title, e.name), search: `${e.name} ${title(e.title)}`.toLowerCase() })),
    }));
  }, [catalogue, t, tx, title]);
}

const search = {
  filterOption: (text: string, option: unknown) =>
    String((option as { search?: string }).search ?? "").includes(text.toLowerCase()),
};

/** Choose an event of the plan, grouped by stage; found by title or by name. */
export function EventSelect({ catalogue, value, onChange, width = 200, allowClear, placeholder }: Props) {
  const { t, tx } = useWords();
  const planned = useOptions(catalogue);
  const known = !value || catalogue.event_types.some((one) => one.name === value);
  const named = tx(`eventName.${value}`, value);
  const options = known ? planned : [{ label: t("stage.other"), title: "other", options: [{ value, label: named, search: value }] }, ...planned];
  return (
    <Select
      aria-label={placeholder ?? t("rule.event")}
      value={value || undefined}
      placeholder={placeholder ?? t("rule.event")}
      allowClear={allowClear}
      showSearch={search}
      options={options}
      onChange={(next?: string) => onChange(next ?? "")}
      popupMatchSelectWidth={false}
      style={{ width }}
    />
  );
}

/** Choose several events, any of which counts. */
export function EventsSelect({ catalogue, value, onChange }: { catalogue: Catalogue; value: string[]; onChange: (events: string[]) => void }) {
  const { t } = useWords();
  return (
    <Select
      aria-label={t("rule.event")}
      mode="multiple"
      value={value}
      showSearch={search}
      options={useOptions(catalogue)}
      onChange={onChange}
      popupMatchSelectWidth={false}
      style={{ minWidth: 200, maxWidth: 420 }}
    />
  );
}
