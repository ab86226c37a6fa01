import { Button, Card, Flex, Typography } from "antd";
import { useMemo, useState } from "react";
import { PeopleDrawer, type PeopleOf } from "../../people/PeopleDrawer";
import { useWords } from "../../i18n";
import { Chart, useBase } from "../../ui/chart";
import { Count } from "../../ui/CountTag";
import { EmptyState } from "../../ui/EmptyState";
import { dateTime, duration, number, percent } from "../../ui/format";
import { fetchPeople, type Bar, type Params, type Result, type StepResult } from "./queries";
import { ScrollTable } from "../../ui/ScrollTable";

type Series = { name: string; bar: Pick<Bar, "value" | "other">; steps: StepResult[] };

function seriesOf(result: Result, words: { all: string; none: string; other: string }): Series[] {
  if (result.breakdown.length === 0) return [{ name: words.all, bar: {}, steps: result.steps }];
  return result.breakdown.map((part) => ({
    name: part.other ? words.other : (part.value ?? words.none),
    bar: part.other ? { other: true } : { value: part.value },
    steps: part.steps,
  }));
}

/** How many were lost before a step; null where either number is withheld. */
function lostAt(one: Series, index: number): number | null {
  const [before, here] = [one.steps[index - 1]?.count, one.steps[index]?.count];
  return before == null || here == null ? null : before - here;
}

function useOption(series: Series[]) {
  const { title } = useWords();
  const base = useBase();
  return useMemo(
    () => ({
      ...base,
      grid: { ...base.grid, top: series.length > 1 ? 48 : 28 },
      legend: { show: series.length > 1, top: 0, left: 0, type: "scroll", icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: base.textStyle },
      tooltip: { ...base.tooltip, trigger: "axis", axisPointer: { type: "shadow" } },
      xAxis: {
        type: "category",
        data: (series[0]?.steps ?? []).map((step, index) => `${index + 1} ${title(step.title, step.event)}`),
        ...base.axis,
        axisLabel: { ...base.axis.axisLabel, interval: 0, width: Math.max(40, Math.floor(480 / (series[0]?.steps.length || 1))), overflow: "break" },
      },
      yAxis: { type: "value", ...base.axis },
      series: series.map((one) => ({
        name: one.name,
        type: "bar",
        cursor: "pointer",
        barMaxWidth: 72,
        itemStyle: { borderRadius: [4, 4, 0, 0] },
        label: {
          show: series.length === 1,
          position: "top",
          color: base.textStyle.color,
          formatter: ({ dataIndex }: { dataIndex: number }) => {
            const step = one.steps[dataIndex];
            return step?.conversion == null ? "" : percent(step.conversion);
          },
        },
        data: one.steps.map((step) => step.count),
      })),
    }),
    [series, base, title],
  );
}

/** The funnel's bars and numbers; each opens the people behind it. */
export function Results({ params, result }: { params: Params; result: Result }) {
  const { t, title, language } = useWords();
  const [people, setPeople] = useState<PeopleOf | null>(null);
  const series = useMemo(() => seriesOf(result, { all: t("funnel.all"), none: t("funnel.unknown"), other: t("funnel.other") }), [result, t]);
  const option = useOption(series);
  const open = (one: Series, index: number, dropped: boolean) => {
    const step = one.steps[index];
    if (!step) return;
    const bar: Bar = { ...one.bar, step: index + 1, dropped };
    setPeople({
      title: `${dropped ? t("funnel.droppedAt") : t("funnel.reached")} ${index + 1} ${title(step.title, step.event)}`,
      total: dropped ? lostAt(one, index) : step.count,
      queryKey: ["funnel", "people", params, bar],
      fetch: (cursor) => fetchPeople(params, bar, cursor),
    });
  };
  const rows = series.flatMap((one) => one.steps.map((step, index) => ({ one, step, index, key: `${one.name}/${index}` })));
  const nobody = result.steps[0]?.count === 0;
  const timed = rows.some((r) => r.step.median_ms != null);
  return (
    <Card title={t("funnel.result")}>
      {nobody && <EmptyState title={t("funnel.nobody")} hint={t("funnel.nobodyHint")} />}
      {!nobody && <Chart
        option={option}
        height={340}
        label={t("funnel.chartLabel", { steps: result.steps.map((s) => `${title(s.title, s.event)} ${s.count ?? "<10"}`).join(", ") })}
        onClick={(index, at) => series[at] && open(series[at], index, false)}
      />}
      <ScrollTable
        style={{ marginTop: 16 }}
        rowKey="key"
        dataSource={rows}
        columns={[
          ...(series.length > 1
            ? [{ title: t("funnel.value"), key: "value", onCell: (r: (typeof rows)[number]) => ({ rowSpan: r.index === 0 ? r.one.steps.length : 0 }), render: (_: unknown, r: (typeof rows)[number]) => r.one.name }]
            : []),
          { title: t("funnel.stepTitle"), key: "step", render: (_, r) => `${r.index + 1} ${title(r.step.title, r.step.event)}` },
          {
            title: t("funnel.people"),
            key: "count",
            align: "right",
            render: (_, r) => (
              <Button type="link" size="small" style={{ paddingInline: 0 }} onClick={() => open(r.one, r.index, false)} aria-label={`${r.step.count === null ? "<10" : number(r.step.count)} ${t("funnel.openPeople", { n: r.index + 1 })}`}>
                <Count value={r.step.count} suppressed={r.step.suppressed} />
              </Button>
            ),
          },
          { title: t("funnel.conversion"), key: "conv", align: "right", render: (_, r) => (r.step.conversion == null ? "–" : percent(r.step.conversion)) },
          { title: t("funnel.fromPrevious"), key: "prev", align: "right", render: (_, r) => (r.index === 0 || r.step.from_previous == null ? "–" : percent(r.step.from_previous)) },
          {
            title: t("funnel.dropped"),
            key: "dropped",
            align: "right",
            render: (_, r) => {
              if (r.index === 0) return "–";
              const lost = lostAt(r.one, r.index);
              if (lost === null) return <Count value={null} suppressed />;
              return (
                <Button type="link" size="small" style={{ paddingInline: 0 }} onClick={() => open(r.one, r.index, true)} aria-label={`${number(lost)} ${t("funnel.openDropped", { n: r.index + 1 })}`}>
                  {number(lost)}
                </Button>
              );
            },
          },
          ...(timed
            ? [{ title: t("funnel.median"), key: "median", align: "right" as const, render: (_: unknown, r: (typeof rows)[number]) => (r.index === 0 || r.step.median_ms == null ? "–" : duration(r.step.median_ms, language)) }]
            : []),
        ]}
      />
      <Flex justify="flex-end" style={{ marginTop: 8 }}>
        <Typography.Text type="secondary">{t("builder.asOf", { at: dateTime(result.as_of), ms: number(Math.round(result.took_ms)) })}</Typography.Text>
      </Flex>
      <PeopleDrawer of={people} onClose={() => setPeople(null)} />
    </Card>
  );
}
