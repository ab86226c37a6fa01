import { Card, Flex, Tag, Typography } from "antd";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { number, percent } from "../../ui/format";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { fetchAlerts, fetchFindings, type Alert, type Finding, type Place } from "./queries";
import { shareText, useQualityWords } from "./words";

/** Scores below what is expected. */
export function Alerts({ onPlace }: { onPlace: (place: Place) => void }) {
  const { t } = useWords();
  const words = useQualityWords();
  const query = usePaged(["quality", "alerts"], fetchAlerts);
  return (
    <Card title={t("quality.alerts")}>
      <QueryTable<Alert>
        query={query}
        label={t("quality.alerts")}
        rowKey={(a) => String(a.id)}
        empty={<EmptyState title={t("quality.noAlerts")} />}
        columns={[
          { title: t("quality.level.source"), key: "source", render: (_, a) => words.source(a.source) },
          {
            title: t("quality.level.table"),
            key: "table",
            render: (_, a) => (
              <Typography.Link onClick={() => onPlace({ source: a.source, table: a.table })}>{words.table(a.table)}</Typography.Link>
            ),
          },
          { title: t("quality.dimension"), key: "dimension", render: (_, a) => words.dimension(a.dimension) },
          { title: t("quality.score"), key: "percent", align: "right", render: (_, a) => <Tag color="error">{shareText(a)}</Tag> },
          { title: t("quality.threshold"), key: "threshold", align: "right", render: (_, a) => percent(a.threshold / 100) },
          { title: t("quality.since"), key: "at", render: (_, a) => <Time at={a.opened_at} relative /> },
        ]}
      />
    </Card>
  );
}

function Examples({ finding }: { finding: Finding }) {
  const { t } = useWords();
  if (finding.examples.length === 0) {
    return <Typography.Text type="secondary">{t("quality.noExamples")}</Typography.Text>;
  }
  return (
    <Flex vertical gap={4}>
      <Typography.Text type="secondary">{t("quality.shapes")}</Typography.Text>
      {finding.examples.map((example, n) => (
        <Flex key={n} gap={12} wrap>
          {example.event && <span className="cl-mono">{example.event}</span>}
          {example.shown && <Tag variant="outlined"><span className="cl-mono">{example.shown}</span></Tag>}
          {example.value && <Tag color="warning">{example.value} × {example.count}</Tag>}
        </Flex>
      ))}
    </Flex>
  );
}

/** What rules found, with examples that show no person. */
export function Findings({ days, place }: { days: number; place: Place }) {
  const { t } = useWords();
  const words = useQualityWords();
  const query = usePaged(["quality", "findings", days, place], (cursor) => fetchFindings(days, place, cursor));
  return (
    <Card title={t("quality.findings")}>
      <QueryTable<Finding>
        query={query}
        label={t("quality.findings")}
        rowKey={(f) => String(f.id)}
        empty={<EmptyState title={t("quality.noFindings")} />}
        expandable={{ expandedRowRender: (f) => <Examples finding={f} /> }}
        columns={[
          { title: t("quality.day"), key: "day", render: (_, f) => <span className="cl-num">{f.day}</span> },
          { title: t("quality.level.source"), key: "source", render: (_, f) => words.source(f.source) },
          { title: t("quality.level.table"), key: "table", render: (_, f) => words.table(f.table) },
          { title: t("quality.level.field"), key: "field", render: (_, f) => words.field(f.table, f.field) },
          { title: t("quality.rule"), key: "kind", render: (_, f) => words.kind(f.kind) },
          { title: t("quality.fault"), key: "code", render: (_, f) => words.code(f.code) },
          { title: t("quality.failed"), key: "failed", align: "right", render: (_, f) => <span className="cl-num">{number(f.failed)} / {number(f.checked)}</span> },
        ]}
      />
    </Card>
  );
}
