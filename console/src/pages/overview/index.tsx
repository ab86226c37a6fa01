import { useQuery } from "@tanstack/react-query";
import { Button, Card, Flex, Skeleton, Statistic, Steps, Table, Typography } from "antd";
import { useMemo } from "react";
import { Link } from "react-router";
import { fetchOverview, type Overview } from "../../api/overview";
import { useWords } from "../../i18n";
import { useEventWords } from "../../people/event";
import { Chart, useBase } from "../../ui/chart";
import { duration, number } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";

function Tiles({ data }: { data: Overview }) {
  const { t, language } = useWords();
  const sent = Object.values(data.sends).reduce((sum, n) => sum + n, 0);
  const tiles = [
    { to: "/persons", label: t("overview.persons"), value: data.persons === null ? "<10" : number(data.persons) },
    { to: "/live", label: t("overview.eventsToday"), value: number(data.events_today) },
    { to: "/segments", label: t("overview.segments"), value: number(data.segments) },
    { to: "/journeys", label: t("overview.sends"), value: number(sent) },
    {
      to: "/live",
      label: t("overview.freshness"),
      value: data.freshness_seconds == null ? "–" : duration(data.freshness_seconds * 1000, language),
    },
    { to: "/quarantine", label: t("overview.quarantine"), value: number(data.quarantine_open) },
  ];
  return (
    <div className="cl-grid cl-tiles">
      {tiles.map((tile) => (
        <Link key={tile.label} to={tile.to}>
          <Card size="small" hoverable>
            <Statistic title={tile.label} value={tile.value} formatter={(v) => v} />
          </Card>
        </Link>
      ))}
    </div>
  );
}

/** One line for a day, with a word where the day is not over. */
function perDayTip(days: Overview["events_per_day"], unfinished: string) {
  return (points: { dataIndex: number }[]) => {
    const at = points[0]?.dataIndex ?? 0;
    const day = days[at];
    return day ? `${day.day}　<b>${number(day.count)}</b>${at === days.length - 1 ? `　${unfinished}` : ""}` : "";
  };
}

function PerDay({ data }: { data: Overview }) {
  const { t } = useWords();
  const base = useBase();
  const last = data.events_per_day.length - 1;
  const option = useMemo(
    () => ({
      ...base,
      tooltip: { ...base.tooltip, trigger: "axis", formatter: perDayTip(data.events_per_day, t("overview.today")) },
      xAxis: { type: "category", data: data.events_per_day.map((d) => d.day.slice(5)), ...base.axis },
      yAxis: { type: "value", ...base.axis },
      series: [
        {
          name: t("overview.events"),
          type: "line",
          showSymbol: false,
          areaStyle: { opacity: 0.12 },
          data: data.events_per_day.map((d, at) => (at === last ? null : d.count)),
        },
        {
          name: t("overview.today"),
          type: "line",
          color: base.color[0],
          symbol: "emptyCircle",
          symbolSize: 9,
          label: { show: true, position: "left", color: base.textStyle.color, formatter: ({ value }: { value: number }) => `${t("overview.today")} ${number(value)}` },
          data: data.events_per_day.map((d, at) => (at === last ? d.count : null)),
        },
      ],
    }),
    [data, last, base, t],
  );
  const total = data.events_per_day.reduce((sum, d) => sum + d.count, 0);
  return (
    <Card title={t("overview.perDay")}>
      <Chart option={option} height={350} label={t("overview.perDayLabel", { days: data.events_per_day.length, total: number(total) })} />
    </Card>
  );
}

function TopEvents({ data }: { data: Overview }) {
  const { t } = useWords();
  const words = useEventWords();
  return (
    <Card title={t("overview.top")}>
      <Table
        size="small"
        rowKey="event"
        pagination={false}
        dataSource={data.top_events.slice(0, 8)}
        columns={[
          {
            title: t("event.event"),
            key: "event",
            render: (_, e) => <Link to={`/live?event=${encodeURIComponent(e.event)}`}>{words.event(e.event, e.title)}</Link>,
          },
          { title: t("event.count"), dataIndex: "count", align: "right", render: (n: number) => <span className="cl-num">{number(n)}</span> },
        ]}
      />
    </Card>
  );
}

const SEND_STATES = ["new", "claimed", "attempting", "sent", "failed", "unknown", "suppressed", "expired"];

function Sends({ data }: { data: Overview }) {
  const { t, tx } = useWords();
  const order = (state: string) => (SEND_STATES.indexOf(state) + SEND_STATES.length) % SEND_STATES.length;
  const rows = Object.entries(data.sends).sort(([a], [b]) => order(a) - order(b));
  return (
    <Card title={t("overview.sendsByState")}>
      {rows.length === 0 ? (
        <Typography.Text type="secondary">{t("overview.noSends")}</Typography.Text>
      ) : (
        <Flex gap={32} wrap>
          {rows.map(([state, n]) => <Statistic key={state} title={tx(`send.${state}`, state)} value={number(n)} styles={{ content: { fontSize: 20 } }} />)}
        </Flex>
      )}
    </Card>
  );
}

/** The page's outline, so that nothing jumps when the numbers come. */
function Waiting() {
  return (
    <Flex vertical gap={16}>
      <div className="cl-grid cl-tiles">
        {[0, 1, 2, 3, 4, 5].map((at) => <Card key={at} size="small"><Skeleton active title={false} paragraph={{ rows: 2 }} /></Card>)}
      </div>
      <div className="cl-grid cl-two">
        <Card><Skeleton active paragraph={{ rows: 11 }} /></Card>
        <Card><Skeleton active paragraph={{ rows: 11 }} /></Card>
      </div>
    </Flex>
  );
}

function FirstRun() {
  const { t } = useWords();
  return (
    <Card title={t("first.title")}>
      <Typography.Paragraph type="secondary">{t("first.hint")}</Typography.Paragraph>
      <Steps
        orientation="vertical"
        current={0}
        items={[
          {
            title: t("first.source"),
            content: <Link to="/sources"><Button type="primary">{t("first.sourceGo")}</Button></Link>,
          },
          { title: t("first.snippet"), content: t("first.snippetHint") },
          { title: t("first.live"), content: <Link to="/live">{t("first.liveGo")}</Link> },
          { title: t("first.import"), content: <Link to="/imports">{t("first.importGo")}</Link> },
        ]}
      />
    </Card>
  );
}

/** The day at a glance; every tile opens what it counts. */
export default function OverviewPage() {
  const { t } = useWords();
  const query = useQuery({ queryKey: ["overview"], queryFn: fetchOverview, refetchInterval: 30_000 });
  return (
    <Page title={t("nav.dashboard")} hint={t("overview.hint")}>
      <Loaded query={query} skeleton={<Waiting />} framed>
        {(data) =>
          data.persons === 0 && data.events_per_day.every((d) => d.count === 0) ? (
            <FirstRun />
          ) : (
            <Flex vertical gap={16}>
              <Tiles data={data} />
              <div className="cl-grid cl-two">
                <PerDay data={data} />
                <TopEvents data={data} />
              </div>
              <Sends data={data} />
            </Flex>
          )
        }
      </Loaded>
    </Page>
  );
}
