import { KeyOutlined } from "@ant-design/icons";
import { App, Button, Descriptions, Drawer, Flex, Form, Input, Select, Switch, Typography } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { number } from "../../ui/format";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { KeyDialog } from "./KeyDialog";
import { Limits } from "./Limits";
import { Code } from "../../ui/Code";
import { SchemaItems, type Schema } from "../../ui/SchemaForm";
import { filled, useIssueKey, usePatchSource, useRevokeKey, useSourceKinds, type Settings, type Source, type WriteKey } from "./queries";
import { ScrollTable } from "../../ui/ScrollTable";

function SettingsForm({ source }: { source: Source }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const known = useSourceKinds().data?.items.find((one) => one.kind === source.kind);
  const patch = usePatchSource(source.id);
  const { settings } = source;
  if (!settings || !known) return null;
  return (
    <Flex vertical gap={12}>
      <Typography.Title level={2} style={{ fontSize: 15, margin: 0 }}>{t("sources.settings", { version: settings.version })}</Typography.Title>
      <Code text={window.location.origin + settings.path} label={t("sources.address")} />
      <Form<{ settings: Settings }>
        key={settings.version}
        layout="vertical"
        disabled={!may("source.write")}
        initialValues={{ settings: settings.settings }}
        onFinish={(v) =>
          patch.mutate({ settings: filled(v.settings) }, { onSuccess: () => toast.done(t("builder.saved")), onError: toast.refused })
        }
      >
        <SchemaItems schema={known.settings as Schema} prefix="settings" stored />
        {may("source.write") && <Button htmlType="submit" type="primary" loading={patch.isPending}>{t("form.save")}</Button>}
      </Form>
    </Flex>
  );
}

function Keys({ source, onKey }: { source: Source; onKey: (key: string) => void }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const { modal } = App.useApp();
  const issue = useIssueKey(source.id);
  const revoke = useRevokeKey(source.id);
  const [changing, setChanging] = useState<WriteKey | null>(null);
  const ask = (key: WriteKey) =>
    modal.confirm({
      title: t("key.revokeAsk", { name: key.name }),
      content: t("key.revokeHint"),
      okText: t("key.revoke"),
      okButtonProps: { danger: true },
      cancelText: t("form.cancel"),
      onOk: () => revoke.mutateAsync(key.id).catch(toast.refused),
    });
  return (
    <Flex vertical gap={12}>
      <Typography.Title level={2} style={{ fontSize: 15, margin: 0 }}>{t("key.list")}</Typography.Title>
      <ScrollTable<WriteKey>
        rowKey="id"
        dataSource={source.keys}
        locale={{ emptyText: t("key.none") }}
        columns={[
          { title: t("key.name"), dataIndex: "name" },
          { title: t("key.hint"), key: "hint", render: (_, k) => <span className="cl-mono">…{k.hint}</span> },
          { title: t("sources.origins"), key: "origins", render: (_, k) => (k.origins.length > 0 ? k.origins.join(", ") : t("key.anyOrigin")) },
          { title: t("key.created"), key: "at", render: (_, k) => <Time at={k.created_at} /> },
          {
            title: "",
            key: "revoke",
            render: (_, k) =>
              may("source.write") && (
                <Flex gap={8}>
                  <Button size="small" onClick={() => setChanging(k)}>{t("key.change")}</Button>
                  <Button size="small" danger onClick={() => ask(k)}>{t("key.revoke")}</Button>
                </Flex>
              ),
          },
        ]}
      />
      <KeyDialog source={source.id} writeKey={changing} onClose={() => setChanging(null)} />
      {may("source.write") && (
        <Form
          layout="inline"
          style={{ rowGap: 8 }}
          onFinish={(v: { name: string; origins?: string[] }) =>
            issue.mutate({ name: v.name, origins: v.origins ?? [], rate: 0 }, {
              onSuccess: (made) => onKey(made.write_key),
              onError: toast.refused,
            })
          }
        >
          <Form.Item name="name" rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
            <Input aria-label={t("key.name")} placeholder={t("key.name")} maxLength={60} style={{ width: 140 }} />
          </Form.Item>
          <Form.Item name="origins">
            <Select aria-label={t("sources.origins")} mode="tags" open={false} placeholder={t("sources.origins")} tokenSeparators={[",", " "]} style={{ width: 240 }} />
          </Form.Item>
          <Button htmlType="submit" icon={<KeyOutlined />} loading={issue.isPending}>{t("key.issue")}</Button>
        </Form>
      )}
    </Flex>
  );
}

/** One source: its switches, statistics and write keys. */
export function SourceDrawer({ source, onClose, onKey }: { source: Source | null; onClose: () => void; onKey: (key: string) => void }) {
  const { t, tx } = useWords();
  const may = useMay();
  const toast = useToast();
  const patch = usePatchSource(source?.id ?? 0);
  return (
    <Drawer open={source !== null} size={760} title={source?.name} onClose={onClose} destroyOnHidden>
      {source && (
        <Flex vertical gap={20}>
          <Descriptions
            column={2}
            items={[
              { key: "kind", label: t("sources.kind"), children: tx(`source.${source.kind}`, source.kind) },
              { key: "created", label: t("key.created"), children: <Time at={source.created_at} /> },
              { key: "total", label: t("sources.total"), children: number(source.events_total) },
              { key: "day", label: t("sources.day"), children: number(source.events_24h) },
              { key: "rejected", label: t("sources.rejected"), children: number(source.rejected_24h) },
              { key: "last", label: t("sources.last"), children: <Time at={source.last_event_at} relative /> },
              {
                key: "enabled",
                label: t("sources.enabled"),
                children: (
                  <Switch
                    aria-label={t("sources.enabled")}
                    checked={source.enabled}
                    disabled={!may("source.write")}
                    loading={patch.isPending}
                    onChange={(enabled) => patch.mutate({ enabled }, { onError: toast.refused })}
                  />
                ),
              },
              { key: "historical", label: t("sources.historical"), children: (
                <Switch
                  aria-label={t("sources.historical")}
                  checked={source.historical}
                  disabled={!may("source.write")}
                  loading={patch.isPending}
                  onChange={(historical) => patch.mutate({ historical }, { onError: toast.refused })}
                />
              ) },
            ]}
          />
          <SettingsForm source={source} />
          <Keys source={source} onKey={onKey} />
          <Limits source={source.id} />
        </Flex>
      )}
    </Drawer>
  );
}
