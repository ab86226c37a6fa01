import { EyeOutlined, SendOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Flex, Form, Input, Modal, Typography } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { PersonPick } from "../../people/PersonPick";
import { useOutcome } from "../../people/outcome";
import { useProblemText } from "../../ui/ErrorState";
import { usePreviewSend, useTestSend } from "./queries";

type Of = { journey: string; node: string };

function Preview({ journey, node }: Of) {
  const { t } = useWords();
  const text = useProblemText();
  const [person, setPerson] = useState("");
  const preview = usePreviewSend(journey);
  const shown = preview.data;
  return (
    <Flex vertical gap={12}>
      <PersonPick value={person} onChange={setPerson} />
      <Button type="primary" disabled={!person} loading={preview.isPending} onClick={() => preview.mutate({ node, person })} style={{ alignSelf: "flex-start" }}>
        {t("try.show")}
      </Button>
      {preview.error && <Alert type="error" showIcon title={text(preview.error)} />}
      {shown && (
        <Card size="small" title={shown.subject || t("try.message")}>
          <Typography.Paragraph style={{ whiteSpace: "pre-wrap", margin: 0 }}>{shown.text || shown.html}</Typography.Paragraph>
        </Card>
      )}
    </Flex>
  );
}

function Test({ journey, node }: Of) {
  const { t } = useWords();
  const text = useProblemText();
  const outcome = useOutcome();
  const test = useTestSend(journey);
  return (
    <Form layout="vertical" requiredMark={false} onFinish={({ address }: { address?: string }) => test.mutate({ node, address: address || "test" })}>
      <Form.Item name="address" label={t("channels.address")} extra={t("channels.addressHint")}>
        <Input autoFocus maxLength={254} />
      </Form.Item>
      {test.data && <Alert showIcon {...outcome(test.data)} style={{ marginBottom: 16 }} />}
      {test.error && <Alert type="error" showIcon title={text(test.error)} style={{ marginBottom: 16 }} />}
      <Button type="primary" htmlType="submit" loading={test.isPending}>{t("channels.testSend")}</Button>
    </Form>
  );
}

/** A saved message as somebody would read it, and one real message to an address of one's own. */
export function TrySend({ journey, node, disabled }: Of & { disabled: boolean }) {
  const { t } = useWords();
  const may = useMay();
  const [open, setOpen] = useState<"preview" | "test" | null>(null);
  return (
    <Flex gap={8} wrap align="center">
      {may("person.read") && <Button icon={<EyeOutlined />} disabled={disabled} onClick={() => setOpen("preview")}>{t("try.preview")}</Button>}
      {may("journey.send") && <Button icon={<SendOutlined />} disabled={disabled} onClick={() => setOpen("test")}>{t("try.test")}</Button>}
      {disabled && <Typography.Text type="secondary">{t("try.saveFirst")}</Typography.Text>}
      <Modal open={open !== null} title={t(open === "test" ? "try.testTitle" : "try.previewTitle")} footer={null} destroyOnHidden onCancel={() => setOpen(null)}>
        {open === "preview" && <Preview journey={journey} node={node} />}
        {open === "test" && <Test journey={journey} node={node} />}
      </Modal>
    </Flex>
  );
}
