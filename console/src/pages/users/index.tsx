import { PlusOutlined } from "@ant-design/icons";
import { App, Button, Card, Dropdown, Form, Input, Modal, Tag } from "antd";
import { useState } from "react";
import { filledDims, RoleFields } from "../../access/RoleFields";
import { SecretShown } from "../../access/SecretShown";
import { useSession } from "../../api/session";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { fetchUsers, useCreateUser, useDeleteUser, usePatchUser, type User } from "./queries";

type Fields = { username: string; roles: User["roles"]; dims?: Record<string, string[]> };

function UserDialog({ user, open, onClose, onSecret }: { user: User | null; open: boolean; onClose: () => void; onSecret: (password: string) => void }) {
  const { t } = useWords();
  const toast = useToast();
  const create = useCreateUser();
  const patch = usePatchUser();
  const [form] = Form.useForm<Fields>();
  const submit = (v: Fields) => {
    const draft = { roles: v.roles, dims: filledDims(v.dims) };
    const options = {
      onSuccess: ({ password }: { password: string | null }) => {
        onClose();
        if (password) onSecret(password);
      },
      onError: toast.refused,
    };
    if (user) patch.mutate({ id: user.id, ...draft }, options);
    else create.mutate({ username: v.username, ...draft }, options);
  };
  return (
    <Modal
      open={open}
      title={user ? t("users.edit", { name: user.username }) : t("users.create")}
      okText={t("form.save")}
      cancelText={t("form.cancel")}
      confirmLoading={create.isPending || patch.isPending}
      destroyOnHidden
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <Form<Fields> form={form} key={user?.id ?? "new"} layout="vertical" requiredMark={false} initialValues={user ?? { roles: ["viewer"] }} onFinish={submit}>
        {!user && (
          <Form.Item name="username" label={t("signin.username")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
            <Input autoComplete="off" maxLength={100} />
          </Form.Item>
        )}
        <RoleFields />
      </Form>
    </Modal>
  );
}

/** Who may sign in, in which roles, limited to which dealers. */
export default function Users() {
  const { t, tx } = useWords();
  const { modal } = App.useApp();
  const toast = useToast();
  const me = useSession().data?.user.username;
  const query = usePaged(["users"], fetchUsers);
  const patch = usePatchUser();
  const remove = useDeleteUser();
  const [dialog, setDialog] = useState<{ user: User | null } | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const act = (user: User, key: string) => {
    if (key === "edit") return setDialog({ user });
    if (key === "toggle") return patch.mutate({ id: user.id, disabled: !user.disabled }, { onError: toast.refused });
    if (key === "reset") {
      return patch.mutate({ id: user.id, reset_password: true }, { onSuccess: (made) => setSecret(made.password), onError: toast.refused });
    }
    modal.confirm({
      title: t("users.removeAsk", { name: user.username }),
      okText: t("form.delete"),
      okButtonProps: { danger: true },
      cancelText: t("form.cancel"),
      onOk: () => remove.mutateAsync(user.id).catch(toast.refused),
    });
  };
  return (
    <Page
      title={t("nav.users")}
      hint={t("users.hint")}
      extra={<Button type="primary" icon={<PlusOutlined />} onClick={() => setDialog({ user: null })}>{t("users.create")}</Button>}
    >
      <Card>
        <QueryTable<User>
          query={query}
          label={t("nav.users")}
          rowKey={(u) => String(u.id)}
          empty={<EmptyState title={t("users.empty")} />}
          columns={[
            { title: t("signin.username"), dataIndex: "username" },
            { title: t("users.roles"), key: "roles", render: (_, u) => u.roles.map((r) => <Tag key={r} variant="outlined">{tx(`role.${r}`, r)}</Tag>) },
            { title: t("users.dims"), key: "dims", render: (_, u) => Object.values(u.dims).flat().join(", ") || t("users.unlimited") },
            {
              title: t("sources.state"),
              key: "state",
              render: (_, u) => <Tag color={u.disabled ? "default" : "success"} variant="outlined">{t(u.disabled ? "users.disabled" : u.must_change ? "users.mustChange" : "users.active")}</Tag>,
            },
            { title: t("users.lastLogin"), key: "last", render: (_, u) => <Time at={u.last_login_at} relative /> },
            {
              title: "",
              key: "act",
              align: "right",
              render: (_, u) => (
                <Dropdown
                  trigger={["click"]}
                  menu={{
                    items: [
                      { key: "edit", label: t("form.edit") },
                      { key: "reset", label: t("users.reset") },
                      { key: "toggle", label: t(u.disabled ? "users.enable" : "users.disable"), disabled: u.username === me },
                      { key: "delete", label: t("form.delete"), danger: true, disabled: u.username === me },
                    ],
                    onClick: ({ key }) => act(u, key),
                  }}
                >
                  <Button size="small" aria-label={t("users.actions", { name: u.username })}>{t("form.more")}</Button>
                </Dropdown>
              ),
            },
          ]}
        />
      </Card>
      <UserDialog user={dialog?.user ?? null} open={dialog !== null} onClose={() => setDialog(null)} onSecret={setSecret} />
      <SecretShown secret={secret} title={t("users.firstPassword")} onClose={() => setSecret(null)} />
    </Page>
  );
}
