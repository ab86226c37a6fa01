import { Button, Flex, Form, Input, Modal, Typography } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { number } from "../../ui/format";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { Changes } from "./Changes";
import { fetchChanges, fetchVersions, usePublish, useRestore, type Version } from "./queries";

/** What differs between two versions, in a dialog; `next` null is the plan under work. */
export function Difference({ old, next, onClose }: { old: number; next: number | null; onClose: () => void }) {
  const { t } = useWords();
  const query = usePaged(["plan", "changes", old, next], (cursor) => fetchChanges(old, next, cursor));
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Modal open width={860} title={next === null ? t("plan.waitingTitle") : t("plan.diffTitle", { old, next })} footer={null} onCancel={onClose}>
      {query.error ? <ErrorState problem={query.error} onRetry={() => void query.refetch()} /> : <Changes changes={rows} />}
      {query.hasNextPage && <Button onClick={() => void query.fetchNextPage()}>{t("table.more")}</Button>}
    </Modal>
  );
}

type Noted = { title: string; okText: string; busy: boolean; onDone: (note: string) => void; onClose: () => void };

/** Asks for a note that stays with the version. */
export function NoteDialog({ title, okText, busy, onDone, onClose }: Noted) {
  const { t } = useWords();
  const [form] = Form.useForm<{ note?: string }>();
  return (
    <Modal open title={title} okText={okText} cancelText={t("form.cancel")} confirmLoading={busy} onCancel={onClose} onOk={() => form.submit()}>
      <Form form={form} layout="vertical" onFinish={(v) => onDone(v.note ?? "")}>
        <Form.Item name="note" label={t("plan.note")}><Input maxLength={500} /></Form.Item>
      </Form>
    </Modal>
  );
}

/** Publishes the plan under work. */
export function PublishDialog({ etag, onClose }: { etag: string; onClose: () => void }) {
  const { t } = useWords();
  const toast = useToast();
  const publish = usePublish();
  return (
    <NoteDialog
      title={t("plan.publishAsk")}
      okText={t("plan.publish")}
      busy={publish.isPending}
      onClose={onClose}
      onDone={(note) =>
        publish.mutate({ etag, note }, {
          onSuccess: (made) => {
            toast.done(t("plan.published", { n: made.version }));
            onClose();
          },
          onError: toast.refused,
        })
      }
    />
  );
}

/** Published versions: who, when, what changed; any of them can be brought back. */
export function Versions({ etag }: { etag: string }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const query = usePaged(["plan", "versions"], fetchVersions);
  const restore = useRestore();
  const [compared, setCompared] = useState<number | null>(null);
  const [back, setBack] = useState<number | null>(null);
  return (
    <>
      <QueryTable<Version>
        query={query}
        label={t("plan.versions")}
        rowKey={(v) => String(v.version)}
        empty={<EmptyState title={t("plan.noVersions")} hint={t("plan.noVersionsHint")} />}
        columns={[
          { title: t("plan.version"), key: "version", render: (_, v) => <Typography.Text strong>v{v.version}</Typography.Text> },
          { title: t("plan.note"), key: "note", render: (_, v) => (v.restored === null ? v.note || "–" : `${t("plan.restored", { n: v.restored })} ${v.note}`) },
          { title: t("plan.events"), key: "events", align: "right", render: (_, v) => number(v.events) },
          { title: t("plan.points"), key: "points", align: "right", render: (_, v) => number(v.points) },
          { title: t("plan.by"), dataIndex: "created_by" },
          { title: t("plan.at"), key: "at", render: (_, v) => <Time at={v.created_at} /> },
          {
            title: "",
            key: "act",
            align: "right",
            render: (_, v) => (
              <Flex gap={8} justify="flex-end">
                <Button size="small" onClick={() => setCompared(v.version)}>{t("plan.compare")}</Button>
                <Button size="small" href={`/api/plan/export?format=xlsx&version=${v.version}`} download>Excel</Button>
                {may("source.write") && <Button size="small" onClick={() => setBack(v.version)}>{t("plan.restore")}</Button>}
              </Flex>
            ),
          },
        ]}
      />
      {compared !== null && <Difference old={compared - 1} next={compared} onClose={() => setCompared(null)} />}
      {back !== null && (
        <NoteDialog
          title={t("plan.restoreAsk", { n: back })}
          okText={t("plan.restore")}
          busy={restore.isPending}
          onClose={() => setBack(null)}
          onDone={(note) =>
            restore.mutate({ id: back, etag, note }, {
              onSuccess: (made) => {
                toast.done(t("plan.published", { n: made.version }));
                setBack(null);
              },
              onError: toast.refused,
            })
          }
        />
      )}
    </>
  );
}
