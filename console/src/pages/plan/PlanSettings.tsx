import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Form, Input, Select, Typography } from "antd";
import { useMay } from "../../api/session";
import { useSourceList, useSourceName } from "../../api/sources";
import { useWords } from "../../i18n";
import { Loaded } from "../../ui/Loaded";
import { useToast } from "../../ui/toast";
import { usePlanSettings, useSaveSettings, type PlanSettings as Document } from "./queries";

const KINDS = ["unplanned_event", "unplanned_property", "violation"] as const;
const FLAG = { unplanned_event: "flag", unplanned_property: "flag", violation: "flag" } as const;

function SeverityFields({ name }: { name: (string | number)[] }) {
  const { t } = useWords();
  const options = (["flag", "quarantine"] as const).map((value) => ({ value, label: t(`plan.severity.${value}`) }));
  return (
    <>
      {KINDS.map((kind) => (
        <Form.Item key={kind} name={[...name, kind]} label={t(`plan.${kind}`)} style={{ marginBottom: 4, width: 170 }}>
          <Select options={options} />
        </Form.Item>
      ))}
    </>
  );
}

function SettingsForm({ stored }: { stored: Document & { etag: string } }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const save = useSaveSettings();
  const sources = useSourceList().data?.items ?? [];
  const sourceName = useSourceName();
  const required = [{ required: true, whitespace: true, message: t("form.required") }];
  return (
    <Form<Document>
      layout="vertical"
      requiredMark={false}
      disabled={!may("source.write")}
      initialValues={stored}
      onFinish={(v) =>
        save.mutate(
          {
            etag: stored.etag,
            body: {
              default: v.default,
              sources: v.sources ?? [],
              touchpoints: (v.touchpoints ?? []).map((p) => ({
                name: p.name.trim(),
                title: Object.fromEntries(Object.entries(p.title ?? {}).filter(([, text]) => text)),
                sources: p.sources ?? [],
              })),
            },
          },
          { onSuccess: () => toast.done(t("plan.saved")), onError: toast.refused },
        )
      }
    >
      <Typography.Title level={2} style={{ fontSize: 15 }}>{t("plan.touchpoints")}</Typography.Title>
      <Typography.Paragraph type="secondary">{t("plan.touchpointsHint")}</Typography.Paragraph>
      <Form.List name="touchpoints">
        {(rows, { add, remove }) => (
          <Flex vertical gap={8}>
            {rows.map((row) => (
              <Flex key={row.key} gap={8} wrap align="flex-end">
                <Form.Item name={[row.name, "name"]} label={t("catalogue.name")} rules={required} style={{ marginBottom: 4, width: 150 }}><Input maxLength={64} /></Form.Item>
                <Form.Item name={[row.name, "title", "zh"]} label={t("plan.titleZh")} style={{ marginBottom: 4, width: 150 }}><Input maxLength={200} /></Form.Item>
                <Form.Item name={[row.name, "title", "en"]} label={t("plan.titleEn")} style={{ marginBottom: 4, width: 150 }}><Input maxLength={200} /></Form.Item>
                <Form.Item name={[row.name, "sources"]} label={t("plan.sources")} style={{ marginBottom: 4, width: 300 }}>
                  <Select mode="tags" options={sources.map((s) => ({ value: s.name, label: s.name }))} />
                </Form.Item>
                <Button aria-label={t("plan.removeTouchpoint", { n: row.name + 1 })} icon={<DeleteOutlined />} onClick={() => remove(row.name)} />
              </Flex>
            ))}
            <Button icon={<PlusOutlined />} onClick={() => add({ name: "", title: {}, sources: [] })} style={{ alignSelf: "flex-start" }}>{t("plan.addTouchpoint")}</Button>
          </Flex>
        )}
      </Form.List>
      <Typography.Title level={2} style={{ fontSize: 15, marginTop: 24 }}>{t("plan.severities")}</Typography.Title>
      <Typography.Paragraph type="secondary">{t("plan.severitiesHint")}</Typography.Paragraph>
      <Card size="small" title={t("plan.byDefault")}><Flex gap={8} wrap><SeverityFields name={["default"]} /></Flex></Card>
      <Form.List name="sources">
        {(rows, { add, remove }) => (
          <Flex vertical gap={8} style={{ marginTop: 8 }}>
            {rows.map((row) => (
              <Card key={row.key} size="small">
                <Flex gap={8} wrap align="flex-end">
                  <Form.Item name={[row.name, "source"]} label={t("event.source")} rules={[{ required: true, message: t("form.required") }]} style={{ marginBottom: 4, width: 200 }}>
                    <Select options={sources.map((s) => ({ value: s.id, label: sourceName(s.id) }))} />
                  </Form.Item>
                  <SeverityFields name={[row.name]} />
                  <Button aria-label={t("plan.removeSource", { n: row.name + 1 })} icon={<DeleteOutlined />} onClick={() => remove(row.name)} />
                </Flex>
              </Card>
            ))}
            <Button icon={<PlusOutlined />} onClick={() => add({ ...FLAG })} style={{ alignSelf: "flex-start" }}>{t("plan.addSource")}</Button>
          </Flex>
        )}
      </Form.List>
      {may("source.write") && <Button type="primary" htmlType="submit" loading={save.isPending} style={{ marginTop: 16 }}>{t("form.save")}</Button>}
    </Form>
  );
}

/** Touchpoints with their sources, and what becomes of events that leave the plan. */
export function PlanSettings() {
  const query = usePlanSettings();
  return <Loaded query={query}>{(stored) => <SettingsForm key={stored.etag} stored={stored} />}</Loaded>;
}
