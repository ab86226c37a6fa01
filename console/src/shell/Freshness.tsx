import { useQuery } from "@tanstack/react-query";
import { Tag, Tooltip } from "antd";
import { useMay } from "../api/session";
import { fetchOverview } from "../api/overview";
import { useWords } from "../i18n";
import { ZONE, duration } from "../ui/format";

/** How old the newest event is, and the zone all times are shown in. */
export function Freshness() {
  const { t, language } = useWords();
  const may = useMay();
  const overview = useQuery({
    queryKey: ["overview"],
    queryFn: fetchOverview,
    enabled: may("analytics.read"),
    refetchInterval: 30_000,
  });
  const seconds = overview.data?.freshness_seconds;
  return (
    <>
      {seconds != null && (
        <Tooltip title={t("header.freshnessHint")}>
          <Tag variant="filled">{t("header.freshness", { age: duration(seconds * 1000, language) })}</Tag>
        </Tooltip>
      )}
      <Tag variant="filled" title={t("header.zoneHint")}>{ZONE}</Tag>
    </>
  );
}
