import { Flex, Tag } from "antd";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { fetchMetrics, type Metric } from "./queries";
import { usePlaceName } from "./Status";

/** Figures, what they need, and which feed is missing where one cannot be computed. */
export function Metrics() {
  const { t, tx, title } = useWords();
  const place = usePlaceName();
  const query = usePaged(["plan", "metrics"], fetchMetrics);
  return (
    <QueryTable<Metric>
      query={query}
      label={t("plan.metrics")}
      rowKey={(m) => m.name}
      empty={<EmptyState title={t("plan.noMetrics")} hint={t("plan.noMetricsHint")} />}
      columns={[
        { title: t("plan.metric"), key: "title", render: (_, m) => title(m.title, m.name) },
        { title: t("catalogue.stage"), key: "stage", render: (_, m) => (m.origin === "funnel" ? t("nav.funnel") : tx(`stage.${m.stage}`, m.stage || "–")) },
        { title: t("plan.computable"), key: "ok", render: (_, m) => <Tag color={m.computable ? "green" : "red"}>{t(m.computable ? "plan.isComputable" : "plan.notComputable")}</Tag> },
        {
          title: t("plan.needs"),
          key: "needs",
          render: (_, m) => (
            <Flex gap={4} wrap style={{ maxWidth: 300 }}>
              {m.needs.map((n) => <Tag key={`${n.event}.${n.property}`} color={n.missing ? "red" : undefined} className="cl-mono">{n.property ? `${n.event}.${n.property}` : n.event}</Tag>)}
            </Flex>
          ),
        },
        {
          title: t("plan.missing"),
          key: "missing",
          render: (_, m) => (
            <Flex vertical style={{ maxWidth: 300 }}>
              {m.needs.filter((n) => n.missing).map((n) => (
                <span key={`${n.event}.${n.property}`}>
                  <span className="cl-mono">{n.property ? `${n.event}.${n.property}` : n.event}</span>: {tx(`plan.lack.${n.missing}`, n.missing ?? "")}
                  {n.touchpoints.length > 0 && ` (${n.touchpoints.map(place).join(", ")})`}
                </span>
              ))}
              {m.computable && "–"}
            </Flex>
          ),
        },
      ]}
    />
  );
}
