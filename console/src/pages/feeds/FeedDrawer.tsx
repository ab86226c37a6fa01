import { Drawer, Tabs } from "antd";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { Loaded } from "../../ui/Loaded";
import { FeedChanges } from "./FeedChanges";
import { FeedMapping } from "./FeedMapping";
import { FeedPlan } from "./FeedPlan";
import { FeedRuns } from "./FeedRuns";
import { FeedSettings } from "./FeedSettings";
import { FeedState } from "./FeedState";
import { useFeed, type Tagged } from "./queries";

function Parts({ feed, onGone }: { feed: Tagged; onGone: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const shared = [
    { key: "state", label: t("sources.state"), children: <FeedState feed={feed} onGone={onGone} /> },
    { key: "runs", label: t("feeds.runs"), children: <FeedRuns feed={feed} /> },
    { key: "changes", label: feed.pending_drift > 0 ? t("feeds.changesN", { n: feed.pending_drift }) : t("feeds.changes"), children: <FeedChanges feed={feed} /> },
    { key: "mapping", label: t("feeds.mapping"), children: <FeedMapping feed={feed} /> },
  ];
  const own = [
    { key: "settings", label: t("feeds.settings"), children: <FeedSettings feed={feed} /> },
    { key: "plan", label: t("feeds.schedule"), children: <FeedPlan feed={feed} /> },
  ];
  return <Tabs destroyOnHidden items={may("source.write") ? [...shared, ...own] : shared} />;
}

function Titled({ id, onClose }: { id: string; onClose: () => void }) {
  const query = useFeed(id);
  return (
    <Drawer open size={960} title={query.data?.name ?? "…"} onClose={onClose}>
      <Loaded query={query}>{(feed) => <Parts feed={feed} onGone={onClose} />}</Loaded>
    </Drawer>
  );
}

/** One feed: how it does, its runs, what changed at the source, and all that can be changed here. */
export function FeedDrawer({ id, onClose }: { id: string | null; onClose: () => void }) {
  return id === null ? null : <Titled key={id} id={id} onClose={onClose} />;
}
