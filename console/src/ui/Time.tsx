import { Tooltip } from "antd";
import { useWords } from "../i18n";
import { ZONE, ago, dateTime } from "./format";

type Props = { at: string | null | undefined; relative?: boolean };

/** An instant in the tenant's zone; the tooltip names the zone and the other form. */
export function Time({ at, relative }: Props) {
  const { language } = useWords();
  if (!at) return <>–</>;
  const full = dateTime(at);
  const since = ago(at, language);
  return (
    <Tooltip title={`${relative ? full : since} · ${ZONE}`}>
      <time dateTime={at} className="cl-num" style={{ whiteSpace: "nowrap" }}>
        {relative ? since : full}
      </time>
    </Tooltip>
  );
}
