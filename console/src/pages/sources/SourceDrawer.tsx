import { KeyOutlined } from "@ant-design/icons";
import { App, Button, Descriptions, Drawer, Flex, Form, Input, Select, Switch, Typography } from "antd";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { number } from "../../ui/format";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { useIssueKey, usePatchSource, useRevokeKey, type Source, type WriteKey } from "./queries";
import { ScrollTable } from "../../ui/ScrollTable";

function Keys({ source, onKey }: { source: Source; onKey: (key: string) => void }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const { modal } = App.useApp();
  const issue = useIssueKey(source.id);
  const revoke = useRevokeKey(source.id);
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
            render: (_, k) => may("source.write") && <Button size="small" danger onClick={() => ask(k)}>{t("key.revoke")}</Button>,
          },
        ]}
      />
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
              { key: "historical", label: t("sources.historical"), children: t(source.historical ? "rule.true" : "rule.false") },
            ]}
          />
          <Keys source={source} onKey={onKey} />
        </Flex>
      )}
    </Drawer>
  );
}
