import { Flex, Progress, Space, Tag, Typography } from "antd";
import { useWords } from "../../i18n";
import { number } from "../../ui/format";
import type { Feed, FeedRun } from "./queries";

const COLOURS: Record<string, string> = { running: "processing", done: "success", failed: "error", stopped: "default" };

/** How a run ended, and why it failed in words. */
export function RunState({ run }: { run: FeedRun }) {
  const { tx } = useWords();
  return (
    <Flex vertical>
      <span><Tag color={COLOURS[run.state]} variant="outlined">{tx(`feedRun.${run.state}`, run.state)}</Tag></span>
      {run.code && <Typography.Text type="danger">{tx(`problem.${run.code}`, run.code)}</Typography.Text>}
    </Flex>
  );
}

/** Records read of those there are; a bar only while the run goes on. */
export function RunCounts({ run, label }: { run: FeedRun; label: string }) {
  const { t } = useWords();
  const going = run.state === "running" && run.total !== null && run.total > 0;
  return (
    <Flex vertical style={{ minWidth: going ? 180 : undefined }}>
      {going && <Progress aria-label={label} size="small" percent={Math.min(100, Math.round((run.records / run.total!) * 100))} status="active" />}
      <span className="cl-num">
        {run.total !== null && run.state === "running" ? t("feeds.of", { n: number(run.records), total: number(run.total) }) : number(run.records)}
      </span>
      {run.bad > 0 && <Typography.Text type="warning">{t("feeds.bad", { n: number(run.bad) })}</Typography.Text>}
    </Flex>
  );
}

/** What somebody should know of a feed at a glance. */
export function FeedTags({ feed }: { feed: Feed }) {
  const { t, tx } = useWords();
  return (
    <Flex vertical gap={4}>
      <Space size={4} wrap>
        {feed.running && <Tag color="processing" variant="outlined">{t("feedRun.running")}</Tag>}
        {!feed.running && <Tag color={feed.enabled ? "success" : "default"} variant="outlined">{t(feed.enabled ? "sources.on" : "sources.off")}</Tag>}
        {feed.mapping === null && <Tag color="warning" variant="outlined">{t("feeds.needsMapping")}</Tag>}
        {feed.pending_drift > 0 && <Tag color="warning" variant="outlined">{t("feeds.driftBadge", { n: feed.pending_drift })}</Tag>}
        {feed.failures > 0 && <Tag color="error" variant="outlined">{t("feeds.failures", { n: feed.failures })}</Tag>}
      </Space>
      {feed.code && <Typography.Text type="danger">{tx(`problem.${feed.code}`, feed.code)}</Typography.Text>}
    </Flex>
  );
}
