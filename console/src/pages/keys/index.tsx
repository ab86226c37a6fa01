import { PlusOutlined } from "@ant-design/icons";
import { App, Button, Card, Form, Input, Modal, Tag } from "antd";
import { useState } from "react";
import { filledDims, RoleFields } from "../../access/RoleFields";
import { SecretShown } from "../../access/SecretShown";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { fetchTokens, useCreateToken, useRevokeToken, type Token } from "./queries";

type Fields = { name: string; roles: Token["roles"]; dims?: Record<string, string[]> };

function CreateDialog({ open, onClose, onSecret }: { open: boolean; onClose: () => void; onSecret: (token: string) => void }) {
  const { t } = useWords();
  const toast = useToast();
  const create = useCreateToken();
  const [form] = Form.useForm<Fields>();
  return (
    <Modal
      open={open}
      title={t("keys.create")}
      okText={t("form.create")}
      cancelText={t("form.cancel")}
      confirmLoading={create.isPending}
      destroyOnHidden
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <Form<Fields>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ roles: ["analyst"] }}
        onFinish={(v) =>
          create.mutate({ name: v.name, roles: v.roles, dims: filledDims(v.dims) }, {
            onSuccess: ({ token }) => {
              onClose();
              onSecret(token);
            },
            onError: toast.refused,
          })
        }
      >
        <Form.Item name="name" label={t("keys.name")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
          <Input maxLength={100} placeholder={t("keys.namePlaceholder")} />
        </Form.Item>
        <RoleFields />
      </Form>
    </Modal>
  );
}

/** Tokens by which programs use the API. */
export default function Keys() {
  const { t, tx } = useWords();
  const { modal } = App.useApp();
  const toast = useToast();
  const query = usePaged(["keys"], fetchTokens);
  const revoke = useRevokeToken();
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const create = <Button type="primary" icon={<PlusOutlined />} onClick={() => setCreating(true)}>{t("keys.create")}</Button>;
  const ask = (key: Token) =>
    modal.confirm({
      title: t("key.revokeAsk", { name: key.name }),
      okText: t("key.revoke"),
      okButtonProps: { danger: true },
      cancelText: t("form.cancel"),
      onOk: () => revoke.mutateAsync(key.id).catch(toast.refused),
    });
  return (
    <Page title={t("nav.keys")} hint={t("keys.hint")} extra={create}>
      <Card>
        <QueryTable<Token>
          query={query}
          label={t("nav.keys")}
          rowKey={(k) => k.id}
          empty={<EmptyState title={t("keys.empty")} hint={t("keys.emptyHint")} action={create} />}
          columns={[
            { title: t("keys.name"), dataIndex: "name" },
            { title: t("key.hint"), key: "hint", render: (_, k) => <span className="cl-mono">…{k.hint}</span> },
            { title: t("users.roles"), key: "roles", render: (_, k) => k.roles.map((r) => <Tag key={r} variant="outlined">{tx(`role.${r}`, r)}</Tag>) },
            { title: t("key.created"), key: "at", render: (_, k) => <Time at={k.created_at} /> },
            { title: t("keys.lastUsed"), key: "used", render: (_, k) => <Time at={k.last_used_at} relative /> },
            {
              title: t("sources.state"),
              key: "state",
              render: (_, k) => (k.revoked_at ? <Tag variant="outlined">{t("keys.revoked")}</Tag> : <Tag color="success" variant="outlined">{t("users.active")}</Tag>),
            },
            { title: "", key: "act", align: "right", render: (_, k) => !k.revoked_at && <Button size="small" danger onClick={() => ask(k)}>{t("key.revoke")}</Button> },
          ]}
        />
      </Card>
      <CreateDialog open={creating} onClose={() => setCreating(false)} onSecret={setSecret} />
      <SecretShown secret={secret} title={t("keys.secret")} onClose={() => setSecret(null)} />
    </Page>
  );
}
