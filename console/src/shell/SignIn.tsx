import { LockOutlined, UserOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Form, Input, Typography } from "antd";
import { useEffect } from "react";
import { useChangePassword, useSignIn } from "../api/session";
import { useWords } from "../i18n";
import { useProblemText } from "../ui/ErrorState";
import { LanguageSwitch, ThemeSwitch } from "./Switches";

function Frame({ title, hint, children }: { title: string; hint: string; children: React.ReactNode }) {
  useEffect(() => {
    document.title = `${title} · carloop`;
  }, [title]);
  return (
    <main
      style={{ minHeight: "100vh", display: "grid", placeItems: "center", padding: 24, boxSizing: "border-box" }}
    >
      <div style={{ width: 380, maxWidth: "100%" }}>
        <div style={{ display: "flex", alignItems: "center", gap: 12, marginBottom: 24 }}>
          <img src="/console/favicon.svg" width={36} height={36} alt="" />
          <Typography.Text strong style={{ fontSize: 22 }}>carloop</Typography.Text>
          <span style={{ flex: 1 }} />
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
        <Card>
          <Typography.Title level={1} style={{ fontSize: 20, marginTop: 0, marginBottom: 4 }}>
            {title}
          </Typography.Title>
          <Typography.Paragraph type="secondary">{hint}</Typography.Paragraph>
          {children}
        </Card>
      </div>
    </main>
  );
}

export function SignIn() {
  const { t } = useWords();
  const signIn = useSignIn();
  const text = useProblemText();
  return (
    <Frame title={t("signin.title")} hint={t("signin.hint")}>
      <Form layout="vertical" requiredMark={false} onFinish={signIn.mutate} disabled={signIn.isPending}>
        {signIn.error && (
          <Alert type="error" showIcon title={text(signIn.error)} style={{ marginBottom: 16 }} role="alert" />
        )}
        <Form.Item name="username" label={t("signin.username")} rules={[{ required: true, message: t("form.required") }]}>
          <Input prefix={<UserOutlined />} autoComplete="username" autoFocus size="large" />
        </Form.Item>
        <Form.Item name="password" label={t("signin.password")} rules={[{ required: true, message: t("form.required") }]}>
          <Input.Password prefix={<LockOutlined />} autoComplete="current-password" size="large" />
        </Form.Item>
        <Button type="primary" htmlType="submit" block size="large" loading={signIn.isPending}>
          {t("signin.submit")}
        </Button>
      </Form>
    </Frame>
  );
}

export function PasswordForm({ onDone }: { onDone?: () => void }) {
  const { t } = useWords();
  const change = useChangePassword();
  const text = useProblemText();
  type Fields = { current: string; fresh: string };
  return (
    <Form<Fields>
      layout="vertical"
      requiredMark={false}
      disabled={change.isPending}
      onFinish={(v) => change.mutate({ old: v.current, new: v.fresh }, { onSuccess: onDone })}
    >
      {change.error && (
        <Alert type="error" showIcon title={text(change.error)} style={{ marginBottom: 16 }} role="alert" />
      )}
      <Form.Item name="current" label={t("password.current")} rules={[{ required: true, message: t("form.required") }]}>
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      <Form.Item
        name="fresh"
        label={t("password.new")}
        extra={t("password.rule")}
        rules={[{ required: true, message: t("form.required") }, { min: 10, message: t("password.rule") }]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="again"
        label={t("password.again")}
        dependencies={["fresh"]}
        rules={[
          { required: true, message: t("form.required") },
          ({ getFieldValue }) => ({
            validator: (_, value) =>
              !value || value === getFieldValue("fresh")
                ? Promise.resolve()
                : Promise.reject(new Error(t("password.differs"))),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Button type="primary" htmlType="submit" block loading={change.isPending}>
        {t("password.submit")}
      </Button>
    </Form>
  );
}

/** The first sign-in: nothing else opens until the generated password is replaced. */
export function FirstPassword() {
  const { t } = useWords();
  return (
    <Frame title={t("password.first")} hint={t("password.firstHint")}>
      <PasswordForm />
    </Frame>
  );
}
