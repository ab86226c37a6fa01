import { Card, Descriptions, Flex, Progress, Statistic, Tag, Typography } from "antd";
import { useWords } from "../../i18n";
import { number, percent } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { ScrollTable } from "../../ui/ScrollTable";
import { useCoverage, type Coverage } from "./queries";
import { usePlaceName } from "./Status";

type Place = Coverage["touchpoints"][number];

function Numbers({ coverage }: { coverage: Coverage }) {
  const { t, title } = useWords();
  const place = usePlaceName();
  const { total } = coverage;
  return (
    <Flex gap={32} wrap align="flex-start">
      <Flex vertical gap={8} style={{ minWidth: 220 }}>
        <Statistic
          title={t("plan.coverage")}
          value={total.share === null ? "–" : percent(total.share)}
          suffix={<Typography.Text type="secondary">{number(total.live)} / {number(total.planned)}</Typography.Text>}
        />
        <Descriptions
          size="small"
          column={1}
          items={[
            { key: "silent", label: t("plan.silent"), children: number(total.silent) },
            { key: "early", label: t("plan.early"), children: number(total.early) },
            { key: "retired", label: t("plan.retiredSeen"), children: number(total.retired_seen) },
          ]}
        />
        <Typography.Text type="secondary">{t("plan.coverageHint", { n: coverage.days })}</Typography.Text>
      </Flex>
      <div style={{ flex: 1, minWidth: 320 }}>
        <ScrollTable<Place>
          aria-label={t("plan.byTouchpoint")}
          rowKey="touchpoint"
          dataSource={coverage.touchpoints}
          pagination={{ pageSize: 8, hideOnSinglePage: true, showSizeChanger: false }}
          columns={[
            { title: t("plan.touchpoint"), key: "name", render: (_, p) => title(p.title, place(p.touchpoint)) },
            {
              title: t("plan.sources"),
              key: "sources",
              render: (_, p) =>
                p.touchpoint === "*" ? "–" : p.connected > 0 ? p.sources.join(", ") : <Tag color="orange">{t("plan.notConnected")}</Tag>,
            },
            { title: t("plan.points"), key: "points", align: "right", render: (_, p) => <span className="cl-num">{number(p.live)} / {number(p.planned)}</span> },
            {
              title: t("plan.coverage"),
              key: "share",
              width: 180,
              render: (_, p) =>
                p.share === null ? "–" : (
                  <Progress aria-label={t("plan.coverage")} percent={Number((100 * p.share).toFixed(1))} size="small" status="normal" />
                ),
            },
          ]}
        />
      </div>
    </Flex>
  );
}

/** How much of the plan really arrives, over all and by touchpoint. */
export function CoverageCard() {
  const query = useCoverage();
  return (
    <Card>
      <Loaded query={query} rows={4}>{(coverage) => <Numbers coverage={coverage} />}</Loaded>
    </Card>
  );
}
