import { Button, Card, Descriptions, Flex, Progress, Tag, Typography } from "antd";
import { useCallerName } from "../../api/callers";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { Json } from "../../ui/Code";
import { EmptyState } from "../../ui/EmptyState";
import { duration, number } from "../../ui/format";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { fetchJobs, useCancel, type Job } from "./queries";

const COLOURS: Record<string, string> = { done: "success", failed: "error", running: "processing", cancelled: "default" };
const ACTIVE = ["queued", "new", "running"];

function JobProgress({ job }: { job: Job }) {
  const { language } = useWords();
  if (!job.total) return <span className="cl-num">{number(job.progress)}</span>;
  const share = Math.min(1, job.progress / job.total);
  const spent = job.started_at ? Date.now() - new Date(job.started_at).getTime() : 0;
  const left = job.state === "running" && share > 0.02 ? duration((spent / share) * (1 - share), language) : "";
  return (
    <div style={{ width: 220 }}>
      <Progress percent={Math.round(share * 100)} size="small" status={job.state === "failed" ? "exception" : undefined} aria-label={job.kind} />
      <Typography.Text type="secondary" className="cl-num">
        {number(job.progress)} / {number(job.total)} {left && `· ${left}`}
      </Typography.Text>
    </div>
  );
}

/** What came of a job: its counts in words, the rest as it is. */
function Result({ result }: { result: Record<string, unknown> }) {
  const { t, tx } = useWords();
  const counts = Object.entries(result).filter(([, value]) => typeof value === "number");
  const rest = Object.fromEntries(Object.entries(result).filter(([, value]) => typeof value !== "number" && value !== null));
  return (
    <Flex vertical gap={12}>
      {counts.length > 0 && (
        <Descriptions
          size="small"
          column={{ xs: 1, md: 3, xl: 4 }}
          items={counts.map(([name, value]) => ({ key: name, label: tx(`import.${name}`, name), children: <span className="cl-num">{number(value as number)}</span> }))}
        />
      )}
      {Object.keys(rest).length > 0 && <Json value={rest} label={t("jobs.result")} />}
    </Flex>
  );
}

/** What works in the background, with progress and cancel. */
export default function Jobs() {
  const { t, tx } = useWords();
  const may = useMay();
  const toast = useToast();
  const query = usePaged(["jobs"], fetchJobs, { refetchInterval: 3_000 });
  const cancel = useCancel();
  const callers = useCallerName();
  return (
    <Page title={t("nav.jobs")} hint={t("jobs.hint")}>
      <Card>
        <QueryTable<Job>
          query={query}
          label={t("nav.jobs")}
          rowKey={(j) => String(j.id)}
          empty={<EmptyState title={t("jobs.empty")} hint={t("jobs.emptyHint")} />}
          expandable={{
            rowExpandable: (j) => j.result !== null && j.result !== undefined,
            expandedRowRender: (j) => <Result result={j.result as Record<string, unknown>} />,
          }}
          columns={[
            { title: t("jobs.kind"), key: "kind", render: (_, j) => tx(`job.${j.kind}`, j.kind) },
            { title: t("sources.state"), key: "state", render: (_, j) => <Tag color={COLOURS[j.state]} variant="outlined">{tx(`jobState.${j.state}`, j.state)}</Tag> },
            { title: t("jobs.progress"), key: "progress", render: (_, j) => <JobProgress job={j} /> },
            { title: t("jobs.message"), key: "message", render: (_, j) => <Typography.Text type="secondary" ellipsis style={{ maxWidth: 320 }}>{j.message || "–"}</Typography.Text> },
            { title: t("jobs.by"), key: "by", render: (_, j) => callers(j.created_by) },
            { title: t("key.created"), key: "at", render: (_, j) => <Time at={j.created_at} relative /> },
            {
              title: "",
              key: "cancel",
              align: "right",
              render: (_, j) =>
                may("job.write") && ACTIVE.includes(j.state) && (
                  <Button size="small" loading={cancel.isPending && cancel.variables === j.id} onClick={() => cancel.mutate(j.id, { onError: toast.refused })}>
                    {t("jobs.cancel")}
                  </Button>
                ),
            },
          ]}
        />
      </Card>
    </Page>
  );
}
