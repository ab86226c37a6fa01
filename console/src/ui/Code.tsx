import { Button, Drawer, Flex, Typography, theme } from "antd";
import { CodeOutlined } from "@ant-design/icons";
import { useState } from "react";
import { useWords } from "../i18n";

/** Text to read and copy: a snippet, SQL, JSON. */
export function Code({ text, label }: { text: string; label: string }) {
  const { token } = theme.useToken();
  return (
    <div style={{ position: "relative", background: token.colorFillQuaternary, borderRadius: 8 }}>
      <div style={{ position: "absolute", top: 6, right: 10 }}>
        <Typography.Text copyable={{ text }} aria-label={label} />
      </div>
      <pre className="cl-code" tabIndex={0} aria-label={label} style={{ padding: "12px 40px 12px 14px", overflow: "auto", maxHeight: 480 }}>
        {text}
      </pre>
    </div>
  );
}

export function Json({ value, label }: { value: unknown; label: string }) {
  return <Code text={JSON.stringify(value, null, 2)} label={label} />;
}

/** A button that opens the SQL behind a number. */
export function SqlButton({ sql, disabled }: { sql: string | undefined; disabled?: boolean }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button icon={<CodeOutlined />} disabled={disabled || !sql} onClick={() => setOpen(true)}>
        SQL
      </Button>
      <Drawer open={open} size={720} title={t("sql.title")} onClose={() => setOpen(false)} destroyOnHidden>
        <Flex vertical gap={12}>
          <Typography.Text type="secondary">{t("sql.hint")}</Typography.Text>
          <Code text={sql ?? ""} label="SQL" />
        </Flex>
      </Drawer>
    </>
  );
}
