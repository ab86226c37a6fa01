import { Breadcrumb, Button, Card, Flex } from "antd";
import { useMemo } from "react";
import { useWords } from "../../i18n";
import { Chart, useBase } from "../../ui/chart";
import { EmptyState } from "../../ui/EmptyState";
import { Loaded } from "../../ui/Loaded";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { fetchScores, useTrend, type Level, type Place, type Score } from "./queries";
import { DIMENSIONS, shareText, useQualityWords } from "./words";

type Props = { days: number; place: Place; onPlace: (place: Place) => void };

const TREND_DAYS = 30;

function Trend({ place }: { place: Place }) {
  const { t, tx } = useWords();
  const base = useBase();
  const query = useTrend(TREND_DAYS, place);
  const points = useMemo(() => query.data?.points ?? [], [query.data]);
  const option = useMemo(
    () => ({
      ...base,
      grid: { ...base.grid, top: 36 },
      legend: { top: 0, textStyle: base.textStyle },
      tooltip: { ...base.tooltip, trigger: "axis", valueFormatter: (v: unknown) => shareText({ percent: typeof v === "number" ? v : null }) },
      xAxis: { type: "category", data: points.map((p) => p.day.slice(5)), ...base.axis },
      yAxis: { type: "value", max: 100, scale: true, ...base.axis },
      series: DIMENSIONS.map((name) => ({
        name: tx(`quality.${name}`, name),
        type: "line",
        connectNulls: true,
        data: points.map((p) => p.dimensions.find((d) => d.dimension === name)?.percent ?? null),
      })),
    }),
    [points, base, tx],
  );
  return (
    <Card title={t("quality.trend")}>
      <Loaded query={query}>
        {() =>
          points.length === 0 ? (
            <EmptyState title={t("quality.none")} hint={t("quality.noneHint")} />
          ) : (
            <Chart option={option} height={260} label={t("quality.trendLabel", { n: points.length })} />
          )
        }
      </Loaded>
    </Card>
  );
}

/** Scores from source to table to field, and their course. */
export function Scores({ days, place, onPlace }: Props) {
  const { t } = useWords();
  const words = useQualityWords();
  const level: Level = place.table !== undefined ? "field" : place.source !== undefined ? "table" : "source";
  const query = usePaged(["quality", "scores", level, days, place], (cursor) => fetchScores(level, days, place, cursor));
  const name = (row: Score) =>
    level === "source" ? words.source(row.source) : level === "table" ? words.table(row.table) : words.field(row.table, row.field);
  const inner = (row: Score): Place => (level === "source" ? { source: row.source } : { source: row.source, table: row.table });
  const link = (text: string, to: Place) => (
    <Button type="link" size="small" style={{ paddingInline: 0 }} onClick={() => onPlace(to)}>{text}</Button>
  );
  const trail = [
    { title: level === "source" ? t("quality.allSources") : link(t("quality.allSources"), {}) },
    ...(place.source === undefined
      ? []
      : [{ title: level === "table" ? words.source(place.source) : link(words.source(place.source), { source: place.source }) }]),
    ...(place.table === undefined ? [] : [{ title: words.table(place.table) }]),
  ];
  return (
    <Flex vertical gap={16}>
      <Trend place={place} />
      <Card title={<Breadcrumb items={trail} />}>
        <QueryTable<Score>
          query={query}
          label={t("quality.scores")}
          rowKey={(row) => `${row.source}/${row.table}/${row.field}`}
          empty={<EmptyState title={t("quality.none")} hint={t("quality.noneHint")} />}
          columns={[
            {
              title: t(`quality.level.${level}`),
              key: "name",
              render: (_, row) => (level === "field" ? name(row) : link(name(row), inner(row))),
            },
            ...DIMENSIONS.map((dimension) => ({
              title: words.dimension(dimension),
              key: dimension,
              align: "right" as const,
              render: (_: unknown, row: Score) => {
                const share = row.dimensions.find((one) => one.dimension === dimension);
                return <span className="cl-num" title={share?.total ? `${share.good} / ${share.total}` : ""}>{shareText(share)}</span>;
              },
            })),
          ]}
        />
      </Card>
    </Flex>
  );
}
