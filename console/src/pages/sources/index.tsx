import { PlusOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Form, Input, Modal, Select, Switch, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useMay } from "../../api/session";
import { useWords, type Key } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { number } from "../../ui/format";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { KeyShown } from "./KeyShown";
import { SchemaItems, type Schema } from "../../ui/SchemaForm";
import { KINDS, fetchSources, filled, useCreateSource, useSourceKinds, type Settings, type Source } from "./queries";
import { SourceDrawer } from "./SourceDrawer";

type Fields = { name: string; kind: Source["kind"]; historical?: boolean; origins?: string[]; settings?: Settings };

function CreateDialog({ open, onClose, onKey }: { open: boolean; onClose: () => void; onKey: (key: string) => void }) {
  const { t, title } = useWords();
  const toast = useToast();
  const create = useCreateSource();
  const [form] = Form.useForm<Fields>();
  const kind = Form.useWatch("kind", form);
  const known = useSourceKinds().data?.items.find((one) => one.kind === kind);
  const submit = (v: Fields) =>
    create.mutate(
      { name: v.name, kind: v.kind, historical: v.historical ?? false, origins: v.origins ?? [], ...(known ? { settings: filled(v.settings) } : {}) },
      {
        onSuccess: ({ key }) => {
          onClose();
          onKey(key.write_key);
        },
        onError: toast.refused,
      },
    );
  return (
    <Modal
      open={open}
      title={t("sources.create")}
      okText={t("form.create")}
      cancelText={t("form.cancel")}
      confirmLoading={create.isPending}
      destroyOnHidden
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <Form<Fields> form={form} layout="vertical" requiredMark={false} initialValues={{ kind: "web" }} onFinish={submit}>
        <Form.Item name="name" label={t("sources.name")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
          <Input placeholder={t("sources.namePlaceholder")} maxLength={100} />
        </Form.Item>
        <Form.Item name="kind" label={t("sources.kind")}>
          <Select options={KINDS.map((k) => ({ value: k, label: t(`source.${k}` as Key) }))} />
        </Form.Item>
        {kind === "web" && (
          <Form.Item name="origins" label={t("sources.origins")} extra={t("sources.originsHint")}>
            <Select mode="tags" open={false} tokenSeparators={[",", " "]} placeholder="https://www.example.com" />
          </Form.Item>
        )}
        {known && known.presets.length > 0 && (
          <Form.Item label={t("sources.preset")} extra={t("sources.presetHint")}>
            <Select
              allowClear
              aria-label={t("sources.preset")}
              options={known.presets.map((one) => ({ value: one.name, label: title(one.title, one.name) }))}
              onChange={(name: string | undefined) =>
                form.setFieldValue("settings", { ...known.presets.find((one) => one.name === name)?.settings })
              }
            />
          </Form.Item>
        )}
        {known && <SchemaItems key={known.kind} schema={known.settings as Schema} prefix="settings" />}
        <Form.Item name="historical" label={t("sources.historical")} extra={t("sources.historicalHint")} valuePropName="checked">
          <Switch />
        </Form.Item>
      </Form>
    </Modal>
  );
}

/** Ways in: each with its write keys, what came through it, and how to send to it. */
export default function Sources() {
  const { t, tx } = useWords();
  const may = useMay();
  const query = usePaged(["sources"], fetchSources);
  const [creating, setCreating] = useState(false);
  const [shown, setShown] = useState<string | null>(null);
  const [opened, setOpened] = useState<number | null>(null);
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  const create = may("source.write") && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setCreating(true)}>{t("sources.create")}</Button>
  );
  return (
    <Page title={t("nav.sources")} hint={t("sources.hint")} extra={create}>
      <Card>
        <QueryTable<Source>
          query={query}
          label={t("nav.sources")}
          rowKey={(s) => String(s.id)}
          empty={<EmptyState title={t("sources.empty")} hint={t("sources.emptyHint")} action={create} />}
          columns={[
            {
              title: t("sources.name"),
              key: "name",
              width: 260,
              render: (_, s) => (
                <Button type="link" size="small" style={{ paddingInline: 0 }} onClick={() => setOpened(s.id)} title={s.name}>{tx(`sourceName.${s.name}`, s.name)}</Button>
              ),
            },
            { title: t("sources.kind"), key: "kind", render: (_, s) => tx(`source.${s.kind}`, s.kind) },
            {
              title: t("sources.state"),
              key: "state",
              render: (_, s) => (
                <Flex gap={4}>
                  <Tag color={s.enabled ? "success" : "default"} variant="outlined">{t(s.enabled ? "sources.on" : "sources.off")}</Tag>
                  {s.historical && <Tag variant="outlined">{t("sources.isHistorical")}</Tag>}
                </Flex>
              ),
            },
            { title: t("sources.total"), key: "total", align: "right", render: (_, s) => <span className="cl-num">{number(s.events_total)}</span> },
            { title: t("sources.day"), key: "day", align: "right", render: (_, s) => <Link to={`/live?source=${s.id}`} className="cl-num">{number(s.events_24h)}</Link> },
            {
              title: t("sources.rejected"),
              key: "rejected",
              align: "right",
              render: (_, s) => (s.rejected_24h > 0 ? <Link to={`/quarantine?source=${s.id}`} className="cl-num">{number(s.rejected_24h)}</Link> : <span className="cl-num">0</span>),
            },
            { title: t("sources.last"), key: "last", render: (_, s) => <Time at={s.last_event_at} relative /> },
          ]}
        />
      </Card>
      <CreateDialog open={creating} onClose={() => setCreating(false)} onKey={setShown} />
      <SourceDrawer source={rows.find((s) => s.id === opened) ?? null} onClose={() => setOpened(null)} onKey={setShown} />
      <KeyShown writeKey={shown} onClose={() => setShown(null)} />
    </Page>
  );
}
