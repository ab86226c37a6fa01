import { Tooltip } from "antd";
import { useWords } from "../i18n";
import { number } from "./format";

/** A count of people; suppressed ones show as `<10`. */
export function Count({ value, suppressed }: { value: number | null | undefined; suppressed?: boolean }) {
  const { t } = useWords();
  if (suppressed) {
    return (
      <Tooltip title={t("count.suppressed")}>
        <span className="cl-num">&lt;10</span>
      </Tooltip>
    );
  }
  return <span className="cl-num">{value == null ? "–" : number(value)}</span>;
}
