import { PlusOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Empty, Flex, Form, Input, Modal, Radio, Select, Tag } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { useProblemText } from "../../ui/ErrorState";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { useRecordConsent, type ConsentDraft, type Person } from "./queries";

function RecordDialog({ person, open, onClose }: { person: Person; open: boolean; onClose: () => void }) {
  const { t } = useWords();
  const text = useProblemText();
  const toast = useToast();
  const record = useRecordConsent(person.id);
  const [form] = Form.useForm<ConsentDraft>();
  return (
    <Modal
      open={open}
      title={t("consent.record")}
      okText={t("form.save")}
      cancelText={t("form.cancel")}
      confirmLoading={record.isPending}
      destroyOnHidden
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <Form<ConsentDraft>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ purpose: "marketing", channel: "*", state: "granted", evidence: "" }}
        onFinish={(draft) =>
          record.mutate(draft, {
            onSuccess: () => {
              toast.done(t("consent.recorded"));
              onClose();
            },
          })
        }
      >
        {record.error && <Alert type="error" showIcon title={text(record.error)} style={{ marginBottom: 16 }} />}
        <Form.Item name="state" label={t("consent.state")}>
          <Radio.Group options={[{ value: "granted", label: t("consent.granted") }, { value: "withdrawn", label: t("consent.refused") }]} />
        </Form.Item>
        <Form.Item name="purpose" label={t("consent.purpose")}>
          <Select options={(["marketing", "service"] as const).map((p) => ({ value: p, label: t(`purpose.${p}`) }))} />
        </Form.Item>
        <Form.Item name="channel" label={t("consent.channel")}>
          <Select options={(["*", "email", "sms", "webhook"] as const).map((c) => ({ value: c, label: t(`channel.${c}`) }))} />
        </Form.Item>
        <Form.Item name="evidence" label={t("consent.evidence")} extra={t("consent.evidenceHint")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
          <Input maxLength={200} placeholder={t("consent.evidencePlaceholder")} />
        </Form.Item>
      </Form>
    </Modal>
  );
}

/** What the person allowed, and the way to write down what they say. */
export function Consents({ person }: { person: Person }) {
  const { t, tx } = useWords();
  const may = useMay();
  const [open, setOpen] = useState(false);
  return (
    <Card
      size="small"
      title={t("person.consents")}
      extra={may("person.write") && <Button size="small" icon={<PlusOutlined />} onClick={() => setOpen(true)}>{t("consent.record")}</Button>}
    >
      {person.consents.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t("person.noConsents")} />}
      <Flex vertical gap={8}>
        {person.consents.map((c) => (
          <Flex key={`${c.channel}/${c.purpose}`} gap={8} align="center">
            <span style={{ flex: 1 }}>{tx(`channel.${c.channel}`, c.channel)} · {tx(`purpose.${c.purpose}`, c.purpose)}</span>
            <Tag color={c.state === "granted" ? "success" : "error"} variant="outlined">{t(c.state === "granted" ? "consent.granted" : "consent.refused")}</Tag>
            <Time at={c.at} relative />
          </Flex>
        ))}
      </Flex>
      <RecordDialog person={person} open={open} onClose={() => setOpen(false)} />
    </Card>
  );
}
