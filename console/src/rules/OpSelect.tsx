import { Select } from "antd";
import { useWords } from "../i18n";
import type { Op } from "./model";

export function OpSelect({ ops, value, onChange }: { ops: Op[]; value: Op; onChange: (op: Op) => void }) {
  const { t, tx } = useWords();
  return (
    <Select
      aria-label={t("rule.op")}
      value={value}
      onChange={onChange}
      options={ops.map((op) => ({ value: op, label: tx(`op.${op}`, op) }))}
      popupMatchSelectWidth={false}
      style={{ minWidth: 96 }}
    />
  );
}
