import { Button } from "antd";
import type { ReactNode } from "react";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { QueryTable } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useScheduleWords } from "./PlanFields";
import { FeedTags, RunCounts } from "./RunView";
import { useFeedKinds, useFeeds, type Feed } from "./queries";
import { planOf } from "./schedule";

/** All feeds: what each reads, how the last reading went, when the next is due. */
export function FeedTable({ create, onOpen }: { create: ReactNode; onOpen: (id: string) => void }) {
  const { t, title } = useWords();
  const query = useFeeds();
  const kinds = useFeedKinds().data?.items ?? [];
  const words = useScheduleWords();
  return (
    <QueryTable<Feed>
      query={query}
      label={t("nav.feeds")}
      rowKey={(feed) => feed.id}
      empty={<EmptyState title={t("feeds.empty")} hint={t("feeds.emptyHint")} action={create} />}
      columns={[
        {
          title: t("sources.name"),
          key: "name",
          width: 220,
          render: (_, feed) => (
            <Button type="link" size="small" style={{ paddingInline: 0, whiteSpace: "normal", textAlign: "start", height: "auto" }} onClick={() => onOpen(feed.id)}>{feed.name}</Button>
          ),
        },
        { title: t("sources.kind"), key: "kind", render: (_, feed) => title(kinds.find((one) => one.kind === feed.kind)?.title, feed.kind) },
        { title: t("feeds.schedule"), key: "schedule", render: (_, feed) => words(planOf(feed.schedule)) },
        { title: t("sources.state"), key: "state", render: (_, feed) => <FeedTags feed={feed} /> },
        { title: t("feeds.records"), key: "records", align: "right", render: (_, feed) => (feed.last_run ? <RunCounts run={feed.last_run} label={feed.name} /> : "–") },
        { title: t("feeds.lastRun"), key: "last", render: (_, feed) => <Time at={feed.last_run?.finished_at ?? feed.last_run?.started_at} relative /> },
        { title: t("feeds.due"), key: "due", render: (_, feed) => <Time at={feed.enabled && !feed.running ? feed.due_at : null} relative /> },
      ]}
    />
  );
}
