import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, Card, Checkbox, Drawer, Flex, Form, Input, Select, Typography } from "antd";
import { Problem } from "../../api/client";
import { useMay } from "../../api/session";
import { useSourceName } from "../../api/sources";
import { useWords } from "../../i18n";
import { number } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { ScrollTable } from "../../ui/ScrollTable";
import { useToast } from "../../ui/toast";
import {
  ANYWHERE, STATUSES, TYPES, useEvent, usePlanSettings, useRemoveEvent, useSaveEvent,
  type PlanEventBody, type PlanEventDetail, type PlannedProperty, type Status,
} from "./queries";
import { usePlaceName } from "./Status";

type Fields = Omit<PlanEventBody, "touchpoints"> & { name: string; points: { touchpoint: string; status: Status }[] };

const EMPTY: PlannedProperty = { name: "", title: {}, type: "string", required: false, allowed: [], owner: "", status: "design", description: "" };

const texts = (title: Record<string, string> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(title ?? {}).filter(([, text]) => text?.trim()));

const body = (v: Fields): PlanEventBody => ({
  title: texts(v.title),
  stage: v.stage ?? "",
  owner: v.owner ?? "",
  description: v.description ?? "",
  touchpoints: Object.fromEntries((v.points ?? []).map((p) => [p.touchpoint, p.status])),
  properties: (v.properties ?? []).map((p) => ({ ...EMPTY, ...p, title: texts(p.title) })),
});

function PropertyRows({ fixed, samples }: { fixed: Set<string>; samples: Record<string, string[]> }) {
  const { t, tx } = useWords();
  const form = Form.useFormInstance<Fields>();
  const required = [{ required: true, whitespace: true, message: t("form.required") }];
  return (
    <Form.List name="properties">
      {(rows, { add, remove }) => (
        <Flex vertical gap={8}>
          {rows.map((row) => {
            const name = String(form.getFieldValue(["properties", row.name, "name"]) ?? "");
            const kept = fixed.has(name);
            return (
              <Card key={row.key} size="small">
                <Flex gap={8} wrap align="flex-end">
                  <Form.Item name={[row.name, "name"]} label={t("catalogue.name")} rules={required} style={{ marginBottom: 4, width: 150 }}><Input maxLength={200} disabled={kept} /></Form.Item>
                  <Form.Item name={[row.name, "title", "zh"]} label={t("plan.titleZh")} style={{ marginBottom: 4, width: 120 }}><Input maxLength={200} /></Form.Item>
                  <Form.Item name={[row.name, "title", "en"]} label={t("plan.titleEn")} style={{ marginBottom: 4, width: 140 }}><Input maxLength={200} /></Form.Item>
                  <Form.Item name={[row.name, "type"]} label={t("catalogue.type")} style={{ marginBottom: 4, width: 110 }}>
                    <Select disabled={kept} options={TYPES.map((type) => ({ value: type, label: tx(`valueType.${type}`, type) }))} />
                  </Form.Item>
                  <Form.Item name={[row.name, "status"]} label={t("plan.status")} style={{ marginBottom: 4, width: 110 }}>
                    <Select options={STATUSES.map((status) => ({ value: status, label: t(`plan.status.${status}`) }))} />
                  </Form.Item>
                  <Form.Item name={[row.name, "allowed"]} label={t("plan.allowed")} style={{ marginBottom: 4, width: 220 }}>
                    <Select mode="tags" open={false} tokenSeparators={[","]} placeholder={t("plan.anyValue")} />
                  </Form.Item>
                  <Form.Item name={[row.name, "owner"]} label={t("plan.owner")} style={{ marginBottom: 4, width: 120 }}><Input maxLength={200} /></Form.Item>
                  <Form.Item name={[row.name, "required"]} valuePropName="checked" style={{ marginBottom: 4 }}><Checkbox>{t("plan.required")}</Checkbox></Form.Item>
                  {!kept && <Button aria-label={t("plan.removeProperty", { name: name || row.name + 1 })} icon={<DeleteOutlined />} onClick={() => remove(row.name)} />}
                </Flex>
                {(samples[name] ?? []).length > 0 && <Typography.Text type="secondary">{t("plan.samples")}: {samples[name]?.join(" · ")}</Typography.Text>}
              </Card>
            );
          })}
          <Button icon={<PlusOutlined />} onClick={() => add(EMPTY)} style={{ alignSelf: "flex-start" }}>{t("plan.addProperty")}</Button>
        </Flex>
      )}
    </Form.List>
  );
}

function PointRows() {
  const { t, title } = useWords();
  const places = usePlanSettings().data?.touchpoints ?? [];
  const options = [{ value: ANYWHERE, label: t("plan.anywhere") }, ...places.map((p) => ({ value: p.name, label: title(p.title, p.name) }))];
  return (
    <Form.List name="points">
      {(rows, { add, remove }) => (
        <Flex vertical gap={4}>
          {rows.map((row) => (
            <Flex key={row.key} gap={8}>
              <Form.Item name={[row.name, "touchpoint"]} rules={[{ required: true, message: t("form.required") }]} style={{ marginBottom: 0, width: 220 }}>
                <Select aria-label={t("plan.touchpointN", { n: row.name + 1 })} options={options} />
              </Form.Item>
              <Form.Item name={[row.name, "status"]} style={{ marginBottom: 0, width: 140 }}>
                <Select aria-label={t("plan.statusN", { n: row.name + 1 })} options={STATUSES.map((status) => ({ value: status, label: t(`plan.status.${status}`) }))} />
              </Form.Item>
              <Button aria-label={t("plan.removePoint", { n: row.name + 1 })} icon={<DeleteOutlined />} disabled={rows.length === 1} onClick={() => remove(row.name)} />
            </Flex>
          ))}
          <Button icon={<PlusOutlined />} onClick={() => add({ touchpoint: undefined, status: "design" })} style={{ alignSelf: "flex-start" }}>{t("plan.addPoint")}</Button>
        </Flex>
      )}
    </Form.List>
  );
}

function Days({ event }: { event: PlanEventDetail }) {
  const { t } = useWords();
  const source = useSourceName();
  const place = usePlaceName();
  return (
    <ScrollTable<PlanEventDetail["days"][number]>
      aria-label={t("plan.days")}
      rowKey={(d) => `${d.day}/${d.source}`}
      dataSource={[...event.days].reverse()}
      locale={{ emptyText: t("plan.neverSeen") }}
      pagination={{ pageSize: 10, hideOnSinglePage: true, showSizeChanger: false }}
      columns={[
        { title: t("plan.day"), dataIndex: "day" },
        { title: t("event.source"), key: "source", render: (_, d) => source(d.source) },
        { title: t("plan.touchpoint"), key: "place", render: (_, d) => d.touchpoints.map(place).join(", ") || "–" },
        { title: t("plan.count"), key: "count", align: "right", render: (_, d) => <span className="cl-num">{number(d.count)}</span> },
      ]}
    />
  );
}

type Draft = { name: string; properties?: PlannedProperty[] };

function Editor({ event, draft, onClose }: { event: PlanEventDetail | null; draft: Draft; onClose: () => void }) {
  const { t, tx } = useWords();
  const may = useMay();
  const toast = useToast();
  const { modal } = App.useApp();
  const save = useSaveEvent();
  const remove = useRemoveEvent();
  const [form] = Form.useForm<Fields>();
  const initial: Fields = event
    ? { ...event, points: event.points.map(({ touchpoint, status }) => ({ touchpoint, status })) }
    : { name: draft.name, title: {}, stage: "", owner: "", description: "", points: [{ touchpoint: ANYWHERE, status: "design" }], properties: [] };
  const known = new Set(initial.properties.map((p) => p.name));
  initial.properties = [...initial.properties, ...(draft.properties ?? []).filter((p) => !known.has(p.name))];
  const refused = (problem: unknown) => {
    toast.refused(problem);
    if (problem instanceof Problem && problem.code === "stale") onClose();
  };
  const drop = () =>
    modal.confirm({
      title: t(event?.base ? "plan.resetAsk" : "plan.removeAsk", { name: initial.name }),
      okText: t(event?.base ? "plan.reset" : "form.delete"),
      okButtonProps: { danger: true },
      cancelText: t("form.cancel"),
      onOk: () => remove.mutateAsync({ name: initial.name, etag: event!.etag }).then(onClose).catch(toast.refused),
    });
  return (
    <Form<Fields>
      form={form}
      layout="vertical"
      requiredMark={false}
      disabled={!may("source.write")}
      initialValues={initial}
      onFinish={(v) =>
        save.mutate({ name: event?.name ?? v.name.trim(), etag: event?.etag ?? '"0"', body: body(v) }, {
          onSuccess: () => {
            toast.done(t("plan.saved"));
            onClose();
          },
          onError: refused,
        })
      }
    >
      <Flex gap={12} wrap>
        {!event && (
          <Form.Item name="name" label={t("plan.eventName")} rules={[{ required: true, whitespace: true, message: t("form.required") }]} style={{ width: 220 }}>
            <Input maxLength={200} />
          </Form.Item>
        )}
        <Form.Item name={["title", "zh"]} label={t("plan.titleZh")} style={{ width: 180 }}><Input maxLength={200} /></Form.Item>
        <Form.Item name={["title", "en"]} label={t("plan.titleEn")} style={{ width: 200 }}><Input maxLength={200} /></Form.Item>
        <Form.Item name="stage" label={t("catalogue.stage")} style={{ width: 160 }}>
          <Select allowClear options={["traffic", "interest", "lead", "sale", "use", "service", "member", "operation", "other"].map((stage) => ({ value: stage, label: tx(`stage.${stage}`, stage) }))} />
        </Form.Item>
        <Form.Item name="owner" label={t("plan.owner")} style={{ width: 180 }}><Input maxLength={200} /></Form.Item>
      </Flex>
      <Form.Item name="description" label={t("plan.description")}><Input.TextArea maxLength={2000} autoSize={{ minRows: 1, maxRows: 5 }} /></Form.Item>
      <Typography.Title level={2} style={{ fontSize: 15 }}>{t("plan.points")}</Typography.Title>
      <PointRows />
      <Typography.Title level={2} style={{ fontSize: 15, marginTop: 20 }}>{t("catalogue.properties")}</Typography.Title>
      <PropertyRows fixed={event?.base ? known : new Set()} samples={event?.samples ?? {}} />
      {may("source.write") && (
        <Flex gap={8} style={{ marginTop: 20 }}>
          <Button type="primary" htmlType="submit" loading={save.isPending}>{t("form.save")}</Button>
          {event && event.revision > 0 && <Button danger loading={remove.isPending} onClick={drop}>{t(event.base ? "plan.reset" : "form.delete")}</Button>}
        </Flex>
      )}
      {event && (
        <>
          <Typography.Title level={2} style={{ fontSize: 15, marginTop: 24 }}>{t("plan.days")}</Typography.Title>
          <Days event={event} />
        </>
      )}
    </Form>
  );
}

export type Opened = Draft & { fresh: boolean };

/** One planned event: its points and properties, beside what arrives; or a new one. */
export function EventDrawer({ opened, onClose }: { opened: Opened | null; onClose: () => void }) {
  const { t } = useWords();
  const query = useEvent(opened && !opened.fresh ? opened.name : null);
  return (
    <Drawer open={opened !== null} size={960} title={opened?.fresh ? t("plan.newEvent") : opened?.name} onClose={onClose} destroyOnHidden>
      {opened?.fresh && <Editor event={null} draft={opened} onClose={onClose} />}
      {opened && !opened.fresh && <Loaded query={query}>{(event) => <Editor key={event.etag} event={event} draft={opened} onClose={onClose} />}</Loaded>}
    </Drawer>
  );
}
