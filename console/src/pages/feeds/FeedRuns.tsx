import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { bytes, duration } from "../../ui/format";
import { QueryTable } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { RunCounts, RunState } from "./RunView";
import { useRuns, type Feed, type FeedRun } from "./queries";

/** The readings of a feed, newest first. */
export function FeedRuns({ feed }: { feed: Feed }) {
  const { t, tx, language } = useWords();
  const query = useRuns(feed.id, feed.running);
  const spent = (run: FeedRun) =>
    duration((run.finished_at ? new Date(run.finished_at).getTime() : Date.now()) - new Date(run.started_at).getTime(), language);
  return (
    <QueryTable<FeedRun>
      query={query}
      label={t("feeds.runs")}
      rowKey={(run) => String(run.id)}
      empty={<EmptyState title={t("feeds.noRuns")} hint={t("feeds.noRunsHint")} />}
      columns={[
        { title: t("feeds.started"), key: "at", render: (_, run) => <Time at={run.started_at} /> },
        { title: t("feeds.trigger"), key: "trigger", render: (_, run) => tx(`feedTrigger.${run.trigger}`, run.trigger) },
        { title: t("sources.state"), key: "state", render: (_, run) => <RunState run={run} /> },
        { title: t("feeds.records"), key: "records", align: "right", render: (_, run) => <RunCounts run={run} label={feed.name} /> },
        { title: t("feeds.bytes"), key: "bytes", align: "right", render: (_, run) => <span className="cl-num">{bytes(run.bytes)}</span> },
        { title: t("feeds.spent"), key: "spent", align: "right", render: (_, run) => <span className="cl-num">{spent(run)}</span> },
      ]}
    />
  );
}
