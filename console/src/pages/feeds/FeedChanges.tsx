import { Alert, Button, Flex, Tag } from "antd";
import { useCallerName } from "../../api/callers";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { Loaded } from "../../ui/Loaded";
import { ScrollTable } from "../../ui/ScrollTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { useAccept, useDrift, type Drift, type Feed } from "./queries";

/** How the columns of the source changed, and the button that takes them as they are now. */
export function FeedChanges({ feed }: { feed: Feed }) {
  const { t, tx } = useWords();
  const may = useMay();
  const toast = useToast();
  const callers = useCallerName();
  const query = useDrift(feed.id);
  const accept = useAccept(feed.id);
  const take = () => accept.mutate(undefined, { onSuccess: ({ accepted }) => toast.done(t("feeds.accepted", { n: accepted })), onError: toast.refused });
  return (
    <Flex vertical gap={16}>
      {feed.pending_drift > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("feeds.pending", { n: feed.pending_drift })}
          description={t("feeds.acceptHint")}
          action={may("source.write") && <Button loading={accept.isPending} onClick={take}>{t("feeds.accept")}</Button>}
        />
      )}
      <Loaded query={query} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title={t("feeds.noChanges")} hint={t("feeds.noChangesHint")} />
          ) : (
            <ScrollTable<Drift>
              aria-label={t("feeds.changes")}
              rowKey={(one) => `${one.at}/${one.kind}/${one.column}`}
              dataSource={items}
              columns={[
                { title: t("feeds.seenAt"), key: "at", render: (_, one) => <Time at={one.at} /> },
                { title: t("imports.column"), dataIndex: "column" },
                { title: t("feeds.change"), key: "kind", render: (_, one) => tx(`feedDrift.${one.kind}`, one.kind) },
                { title: t("feeds.changedTo"), key: "detail", render: (_, one) => <span className="cl-mono">{one.detail || "–"}</span> },
                { title: t("feeds.isMapped"), key: "mapped", render: (_, one) => (one.mapped ? <Tag color="warning" variant="outlined">{t("feeds.mappedYes")}</Tag> : "–") },
                { title: t("feeds.acceptedBy"), key: "by", render: (_, one) => (one.accepted_by ? callers(one.accepted_by) : <Tag variant="outlined">{t("feeds.open")}</Tag>) },
              ]}
            />
          )
        }
      </Loaded>
    </Flex>
  );
}
