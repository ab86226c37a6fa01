import { Alert, App, Button, Descriptions, Flex, Switch, Typography } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { ConfirmTyped } from "../../ui/ConfirmTyped";
import { useProblemText } from "../../ui/ErrorState";
import { number } from "../../ui/format";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { useScheduleWords } from "./PlanFields";
import { FeedTags, RunCounts, RunState } from "./RunView";
import { useFeedKinds, usePatch, useReconcile, useRemove, useRun, useStop, type Feed, type Tagged } from "./queries";
import { planOf } from "./schedule";

function Actions({ feed, onGone }: { feed: Tagged; onGone: () => void }) {
  const { t } = useWords();
  const toast = useToast();
  const run = useRun(feed.id);
  const again = useRun(feed.id);
  const stop = useStop(feed.id);
  const remove = useRemove(feed.id);
  const [asked, setAsked] = useState<"again" | "remove" | null>(null);
  const idle = feed.running || feed.mapping === null || !feed.enabled;
  const started = { onSuccess: () => toast.done(t("feeds.runStarted")), onError: toast.refused };
  return (
    <Flex gap={8} wrap>
      <Button type="primary" disabled={idle} loading={run.isPending} onClick={() => run.mutate(false, started)}>{t("feeds.run")}</Button>
      <Button disabled={!feed.running} loading={stop.isPending} onClick={() => stop.mutate(undefined, { onSuccess: () => toast.done(t("feeds.stopping")), onError: toast.refused })}>{t("feeds.stop")}</Button>
      <Button disabled={idle} onClick={() => setAsked("again")}>{t("feeds.again")}</Button>
      <Button danger onClick={() => setAsked("remove")}>{t("form.delete")}</Button>
      <ConfirmTyped
        open={asked === "again"}
        title={t("feeds.again")}
        word={feed.name}
        consequence={t("feeds.againHint")}
        okText={t("feeds.again")}
        busy={again.isPending}
        problem={again.error}
        onCancel={() => setAsked(null)}
        onConfirm={() => again.mutate(true, { onSuccess: () => { setAsked(null); toast.done(t("feeds.runStarted")); } })}
      />
      <ConfirmTyped
        open={asked === "remove"}
        danger
        title={t("feeds.removeAsk", { name: feed.name })}
        word={feed.name}
        consequence={t("feeds.removeHint")}
        okText={t("form.delete")}
        busy={remove.isPending}
        problem={remove.error}
        onCancel={() => setAsked(null)}
        onConfirm={() => remove.mutate(undefined, { onSuccess: onGone })}
      />
    </Flex>
  );
}

function Reconciled({ feed }: { feed: Feed }) {
  const { t } = useWords();
  const text = useProblemText();
  const count = useReconcile(feed.id);
  const found = count.data;
  const figure = (value: number | null) => (value === null ? t("feeds.untold") : <span className="cl-num">{number(value)}</span>);
  return (
    <Flex vertical gap={12} align="flex-start">
      <Typography.Title level={2} style={{ fontSize: 15, margin: 0 }}>{t("feeds.reconcile")}</Typography.Title>
      <Typography.Text type="secondary">{t("feeds.reconcileHint")}</Typography.Text>
      <Button loading={count.isPending} onClick={() => count.mutate()}>{t("feeds.countNow")}</Button>
      {count.error && <Alert role="alert" type="error" showIcon title={text(count.error)} />}
      {found && (
        <>
          <Descriptions
            column={{ xs: 2, md: 4 }}
            style={{ width: "100%" }}
            items={[
              { key: "source", label: t("feeds.atSource"), children: figure(found.at_source) },
              { key: "landed", label: t("feeds.landed"), children: figure(found.landed) },
              { key: "bad", label: t("feeds.quarantined"), children: figure(found.quarantined) },
              { key: "missing", label: t("feeds.missing"), children: figure(found.missing) },
            ]}
          />
          {found.missing !== null && (
            <Alert
              showIcon
              type={found.missing > 0 ? "warning" : "success"}
              title={t(found.missing > 0 ? "feeds.missingSome" : found.missing < 0 ? "feeds.missingLess" : "feeds.missingNone")}
            />
          )}
        </>
      )}
    </Flex>
  );
}

/** How a feed does: its last run, what is due, what to do about it. */
export function FeedState({ feed, onGone }: { feed: Tagged; onGone: () => void }) {
  const { t, title } = useWords();
  const may = useMay();
  const toast = useToast();
  const { modal } = App.useApp();
  const words = useScheduleWords();
  const patch = usePatch(feed);
  const kind = useFeedKinds().data?.items.find((one) => one.kind === feed.kind);
  const last = feed.last_run;
  const enable = (enabled: boolean) => patch.mutate({ enabled }, { onError: toast.refused });
  const turn = (enabled: boolean) =>
    feed.running && !enabled
      ? modal.confirm({ title: t("feeds.disableAsk"), okText: t("channels.disable"), cancelText: t("form.cancel"), onOk: () => enable(false) })
      : enable(enabled);
  const state = [
    { key: "kind", label: t("sources.kind"), children: title(kind?.title, feed.kind) },
    { key: "plan", label: t("feeds.schedule"), children: words(planOf(feed.schedule)) },
    { key: "state", label: t("sources.state"), children: <FeedTags feed={feed} /> },
    { key: "due", label: t("feeds.due"), children: <Time at={feed.enabled && !feed.running ? feed.due_at : null} /> },
    { key: "last", label: t("feeds.lastRun"), children: last ? <RunState run={last} /> : "–" },
    { key: "when", label: t("feeds.started"), children: <Time at={last?.started_at} /> },
    { key: "records", label: t("feeds.records"), children: last ? <RunCounts run={last} label={feed.name} /> : "–" },
    {
      key: "enabled",
      label: t("sources.enabled"),
      children: <Switch aria-label={t("sources.enabled")} checked={feed.enabled} disabled={!may("source.write")} loading={patch.isPending} onChange={turn} />,
    },
    { key: "created", label: t("key.created"), children: <Time at={feed.created_at} /> },
  ];
  return (
    <Flex vertical gap={24}>
      {may("source.write") && <Actions feed={feed} onGone={onGone} />}
      <Descriptions column={{ xs: 1, md: 2 }} items={state} />
      <Flex gap={16} wrap>
        <Link to={`/quarantine?source=${feed.source}`}>{t("feeds.toQuarantine")}</Link>
        {may("event.read") && <Link to={`/live?source=${feed.source}`}>{t("feeds.toLive")}</Link>}
      </Flex>
      <Reconciled feed={feed} />
    </Flex>
  );
}
