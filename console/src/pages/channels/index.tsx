import { PlusOutlined } from "@ant-design/icons";
import { Alert, App, Button, Card, Dropdown, Form, Input, Modal, Select, Tag } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { useOutcome } from "../../people/outcome";
import { EmptyState } from "../../ui/EmptyState";
import { useProblemText } from "../../ui/ErrorState";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { SchemaItems, type Schema } from "../../ui/SchemaForm";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { PolicyFields, fromPolicy, toPolicy, type PolicyForm } from "./PolicyFields";
import { fetchChannels, useCreateChannel, useDeleteChannel, useKinds, usePatchChannel, useTestChannel, type Channel, type Draft } from "./queries";

/** Only what was filled in: an empty secret keeps the stored one. */
const filled = (settings: Record<string, unknown> | undefined) =>
  Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined && value !== "" && value !== null));

type Fields = Omit<Draft, "policy"> & { policy?: PolicyForm };

function ChannelDialog({ channel, open, onClose }: { channel: Channel | null; open: boolean; onClose: () => void }) {
  const { t, title } = useWords();
  const toast = useToast();
  const kinds = useKinds().data?.items ?? [];
  const create = useCreateChannel();
  const patch = usePatchChannel();
  const [form] = Form.useForm<Fields>();
  const chosen = Form.useWatch("kind", form) ?? channel?.kind;
  const kind = kinds.find((one) => one.kind === chosen);
  const options = {
    onSuccess: () => {
      toast.done(t("builder.saved"));
      onClose();
    },
    onError: toast.refused,
  };
  const submit = (v: Fields) =>
    channel
      ? patch.mutate({ id: channel.id, name: v.name, settings: filled(v.settings), policy: toPolicy(v.policy) }, options)
      : create.mutate({ ...v, settings: filled(v.settings), policy: toPolicy(v.policy) }, options);
  return (
    <Modal
      open={open}
      width={620}
      title={channel ? t("channels.edit", { name: channel.name }) : t("channels.create")}
      okText={t("form.save")}
      cancelText={t("form.cancel")}
      confirmLoading={create.isPending || patch.isPending}
      destroyOnHidden
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <Form<Fields> form={form} key={channel?.id ?? "new"} layout="vertical" initialValues={{ ...channel, policy: fromPolicy(channel?.policy) }} onFinish={submit}>
        <Form.Item name="kind" label={t("channels.kind")} rules={[{ required: true, message: t("form.required") }]}>
          <Select disabled={channel !== null} options={kinds.map((k) => ({ value: k.kind, label: title(k.title, k.kind) }))} />
        </Form.Item>
        <Form.Item name="name" label={t("segments.name")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
          <Input maxLength={100} />
        </Form.Item>
        {kind && <SchemaItems key={kind.kind} schema={kind.settings as Schema} prefix="settings" stored={channel !== null} />}
        <PolicyFields />
      </Form>
    </Modal>
  );
}

function TestDialog({ channel, onClose }: { channel: Channel | null; onClose: () => void }) {
  const { t } = useWords();
  const text = useProblemText();
  const outcome = useOutcome();
  const test = useTestChannel();
  const close = () => {
    test.reset();
    onClose();
  };
  return (
    <Modal open={channel !== null} title={t("channels.testTitle", { name: channel?.name ?? "" })} footer={null} destroyOnHidden onCancel={close}>
      <Form layout="vertical" onFinish={({ address }: { address?: string }) => channel && test.mutate({ id: channel.id, address: address || "test" })}>
        <Form.Item name="address" label={t("channels.address")} extra={t("channels.addressHint")}>
          <Input autoFocus maxLength={254} />
        </Form.Item>
        {test.data && (
          <Alert showIcon {...outcome(test.data)} style={{ marginBottom: 16 }} />
        )}
        {test.error && <Alert type="error" showIcon title={text(test.error)} style={{ marginBottom: 16 }} />}
        <Button type="primary" htmlType="submit" loading={test.isPending}>{t("channels.testSend")}</Button>
      </Form>
    </Modal>
  );
}

/** Ways out: e-mail, webhook and what else is installed. */
export default function Channels() {
  const { t, title } = useWords();
  const may = useMay();
  const toast = useToast();
  const { modal } = App.useApp();
  const query = usePaged(["channels", "page"], () => fetchChannels());
  const kinds = useKinds().data?.items ?? [];
  const patch = usePatchChannel();
  const remove = useDeleteChannel();
  const [dialog, setDialog] = useState<{ channel: Channel | null } | null>(null);
  const [testing, setTesting] = useState<Channel | null>(null);
  const create = may("journey.write") && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setDialog({ channel: null })}>{t("channels.create")}</Button>
  );
  const act = (channel: Channel, key: string) => {
    if (key === "edit") return setDialog({ channel });
    if (key === "test") return setTesting(channel);
    if (key === "toggle") return patch.mutate({ id: channel.id, enabled: !channel.enabled }, { onError: toast.refused });
    modal.confirm({
      title: t("channels.removeAsk", { name: channel.name }),
      okText: t("form.delete"),
      okButtonProps: { danger: true },
      cancelText: t("form.cancel"),
      onOk: () => remove.mutateAsync(channel.id).catch(toast.refused),
    });
  };
  return (
    <Page title={t("nav.channels")} hint={t("channels.hint")} extra={create}>
      <Card>
        <QueryTable<Channel>
          query={query}
          label={t("nav.channels")}
          rowKey={(c) => c.id}
          empty={<EmptyState title={t("channels.empty")} hint={t("channels.emptyHint")} action={create} />}
          columns={[
            { title: t("segments.name"), dataIndex: "name" },
            { title: t("channels.kind"), key: "kind", render: (_, c) => title(kinds.find((k) => k.kind === c.kind)?.title, c.kind) },
            { title: t("sources.state"), key: "state", render: (_, c) => <Tag color={c.enabled ? "success" : "default"} variant="outlined">{t(c.enabled ? "sources.on" : "sources.off")}</Tag> },
            { title: t("key.created"), key: "at", render: (_, c) => <Time at={c.created_at} /> },
            {
              title: "",
              key: "act",
              align: "right",
              render: (_, c) =>
                may("journey.write") && (
                  <Dropdown
                    trigger={["click"]}
                    menu={{
                      items: [
                        { key: "test", label: t("channels.test") },
                        { key: "edit", label: t("form.edit") },
                        { key: "toggle", label: t(c.enabled ? "channels.disable" : "channels.enable") },
                        { key: "delete", label: t("form.delete"), danger: true },
                      ],
                      onClick: ({ key }) => act(c, key),
                    }}
                  >
                    <Button size="small" aria-label={t("users.actions", { name: c.name })}>{t("form.more")}</Button>
                  </Dropdown>
                ),
            },
          ]}
        />
      </Card>
      <ChannelDialog channel={dialog?.channel ?? null} open={dialog !== null} onClose={() => setDialog(null)} />
      <TestDialog channel={testing} onClose={() => setTesting(null)} />
    </Page>
  );
}
