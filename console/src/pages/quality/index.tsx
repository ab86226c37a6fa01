import { PlayCircleOutlined } from "@ant-design/icons";
import { Badge, Button, Flex, Progress, Segmented, Tabs } from "antd";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { Page } from "../../ui/Page";
import { useToast } from "../../ui/toast";
import { Cards } from "./Cards";
import { Expected } from "./Expected";
import { Alerts, Findings } from "./Findings";
import { useRun, useRunNow, useSummary, type Place } from "./queries";
import { Rules } from "./Rules";
import { Scores } from "./Scores";

const DAYS = [1, 7, 30, 90];
const BUSY = ["queued", "running"];

function RunButton({ days }: { days: number }) {
  const { t } = useWords();
  const toast = useToast();
  const [job, setJob] = useState<string | null>(null);
  const start = useRunNow();
  const run = useRun(job).data;
  const busy = start.isPending || (job !== null && (!run || BUSY.includes(run.state)));
  const done = run?.total ? Math.round((100 * run.progress) / run.total) : 0;
  return (
    <Flex gap={12} align="center">
      {busy && <Progress percent={done} size="small" style={{ width: 120 }} aria-label={t("quality.running")} />}
      {run?.state === "done" && <span role="status">{t("quality.ran")}</span>}
      {run?.state === "failed" && <span role="status">{t("quality.runFailed")}</span>}
      <Button
        type="primary"
        icon={<PlayCircleOutlined />}
        loading={busy}
        onClick={() => start.mutate(days, { onSuccess: (made) => setJob(made.id), onError: toast.refused })}
      >
        {t("quality.run")}
      </Button>
    </Flex>
  );
}

/** How good the data is: timely, complete, correct, consistent. */
export default function Quality() {
  const { t } = useWords();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const days = DAYS.find((one) => String(one) === params.get("days")) ?? 7;
  const source = params.get("source");
  const table = params.get("table");
  const place: Place = { ...(source === null ? {} : { source: Number(source) }), ...(table === null ? {} : { table }) };
  const put = (next: Record<string, string | undefined>) =>
    setParams(Object.fromEntries(Object.entries({ ...Object.fromEntries(params), ...next }).filter((e): e is [string, string] => e[1] !== undefined)));
  const onPlace = (to: Place) => put({ source: to.source?.toString(), table: to.table, tab: "scores" });
  const alerts = useSummary(days).data?.alerts ?? 0;
  return (
    <Page title={t("nav.quality")} hint={t("quality.hint")} extra={may("job.write") && <RunButton days={days} />}>
      <Flex vertical gap={16}>
        <Segmented
          style={{ alignSelf: "start" }}
          value={days}
          options={DAYS.map((value) => ({ value, label: t("quality.days", { n: value }) }))}
          onChange={(value) => put({ days: String(value) })}
        />
        <Cards days={days} />
        <Tabs
          activeKey={params.get("tab") ?? "scores"}
          onChange={(tab) => put({ tab })}
          items={[
            { key: "scores", label: t("quality.scores"), children: <Scores days={days} place={place} onPlace={onPlace} /> },
            { key: "findings", label: t("quality.findings"), children: <Findings days={days} place={place} /> },
            {
              key: "alerts",
              label: <Badge count={alerts} size="small" offset={[10, 0]}>{t("quality.alerts")}</Badge>,
              children: <Alerts onPlace={onPlace} />,
            },
            { key: "rules", label: t("quality.rules"), children: <Rules /> },
            { key: "expected", label: t("quality.expected"), children: <Expected /> },
          ]}
        />
      </Flex>
    </Page>
  );
}
