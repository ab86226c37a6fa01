import { EyeOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Empty, Flex, Form, Input, Modal, Tooltip, Typography } from "antd";
import { useState } from "react";
import { useCatalogue } from "../../api/catalogue";
import { useMay } from "../../api/session";
import { useWords, type Key } from "../../i18n";
import { useProblemText } from "../../ui/ErrorState";
import { dateTime } from "../../ui/format";
import { useReveal, type AttributeValue, type Person } from "./queries";

const CLASSES = ["identifying", "descriptive", "derived"] as const;

function Reveal({ person, attribute, onValue }: { person: string; attribute: AttributeValue; onValue: (value: string) => void }) {
  const { t, title } = useWords();
  const text = useProblemText();
  const reveal = useReveal(person);
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        type="text"
        size="small"
        icon={<EyeOutlined />}
        aria-label={t("person.revealField", { field: title(attribute.title, attribute.field) })}
        title={t("person.reveal")}
        onClick={() => setOpen(true)}
      />
      <Modal open={open} title={t("person.revealTitle", { field: title(attribute.title, attribute.field) })} footer={null} destroyOnHidden onCancel={() => setOpen(false)}>
        <Form
          layout="vertical"
          requiredMark={false}
          onFinish={({ reason }: { reason: string }) =>
            reveal.mutate({ field: attribute.field, reason }, {
              onSuccess: ({ value }) => {
                onValue(Array.isArray(value) ? value.join(", ") : String(value));
                setOpen(false);
              },
            })
          }
        >
          <Alert type="info" showIcon title={t("person.revealAudited")} style={{ marginBottom: 16 }} />
          {reveal.error && <Alert type="error" showIcon title={text(reveal.error)} style={{ marginBottom: 16 }} />}
          <Form.Item name="reason" label={t("person.reason")} rules={[{ required: true, whitespace: true, min: 4, message: t("person.reasonNeeded") }]}>
            <Input.TextArea autoFocus rows={2} maxLength={200} placeholder={t("person.reasonPlaceholder")} />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={reveal.isPending}>{t("person.reveal")}</Button>
        </Form>
      </Modal>
    </>
  );
}

function useShown() {
  const { t, title } = useWords();
  const fields = useCatalogue().data?.fields;
  return (attribute: AttributeValue): string => {
    const { value } = attribute;
    if (typeof value === "boolean") return t(value ? "rule.true" : "rule.false");
    if (Array.isArray(value)) return value.join(", ");
    const code = fields?.find((f) => f.name === attribute.field)?.codes?.[String(value)];
    const type = fields?.find((f) => f.name === attribute.field)?.type;
    if (type === "datetime" && value) return dateTime(value as string | number);
    return code ? title(code, String(value)) : String(value ?? "–");
  };
}

function Row({ person, attribute }: { person: string; attribute: AttributeValue }) {
  const { t, title } = useWords();
  const may = useMay();
  const show = useShown();
  const [clear, setClear] = useState<string | null>(null);
  const origin = t("person.origin", {
    source: attribute.source || t("person.unknownSource"),
    at: attribute.occurred_at ? dateTime(attribute.occurred_at) : "–",
  });
  return (
    <Flex gap={8} align="center" style={{ minHeight: 30 }}>
      <Typography.Text type="secondary" style={{ width: 120, flex: "none" }}>{title(attribute.title, attribute.field)}</Typography.Text>
      <Tooltip title={origin}>
        <span tabIndex={0} style={{ flex: 1, overflowWrap: "anywhere" }}>{clear ?? show(attribute)}</span>
      </Tooltip>
      {attribute.masked && clear === null && may("person.reveal") && (
        <Reveal person={person} attribute={attribute} onValue={setClear} />
      )}
    </Flex>
  );
}

/** Fields by class; each value tells its source and time. */
export function Attributes({ person }: { person: Person }) {
  const { t } = useWords();
  return (
    <Card size="small" title={t("person.attributes")}>
      {person.attributes.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t("person.noAttributes")} />}
      {CLASSES.map((cls) => {
        const rows = person.attributes.filter((a) => a.cls === cls);
        if (rows.length === 0) return null;
        return (
          <section key={cls} style={{ marginBottom: 8 }}>
            <Typography.Title level={3} style={{ fontSize: 13, margin: "8px 0 2px" }}>{t(`class.${cls}` as Key)}</Typography.Title>
            {rows.map((a) => <Row key={a.field} person={person.id} attribute={a} />)}
          </section>
        );
      })}
    </Card>
  );
}
