import { PlusOutlined } from "@ant-design/icons";
import { App, Button, Card, Form, Input, Modal, Select, Space, Switch, Tag } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useSourceList } from "../../api/sources";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { JsonInput } from "../../ui/JsonInput";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { useToast } from "../../ui/toast";
import { fetchRules, useRemoveRule, useSaveRule, useSwitch, type Edited, type QualityRule } from "./queries";
import { useQualityWords } from "./words";

const FRESH: Edited = { rule: { kind: "range", field: "", least: 0, most: 100 }, table: "*", source: 0 };

/** What a rule says beyond its kind and field, in a line. */
export const parameters = (rule: Record<string, unknown>) =>
  Object.entries(rule)
    .filter(([name, value]) => !["kind", "field"].includes(name) && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(", ") : String(value)}`)
    .join(" · ");

function RuleDialog({ before, onClose }: { before: QualityRule | null; onClose: () => void }) {
  const { t } = useWords();
  const toast = useToast();
  const words = useQualityWords();
  const save = useSaveRule();
  const sources = useSourceList().data?.items ?? [];
  const [form] = Form.useForm<Edited>();
  return (
    <Modal
      open
      title={t(before ? "quality.editRule" : "quality.newRule")}
      okText={t("form.save")}
      cancelText={t("form.cancel")}
      confirmLoading={save.isPending}
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <Form
        form={form}
        layout="vertical"
        initialValues={before ?? FRESH}
        onFinish={(edited) => save.mutate({ before, edited }, { onSuccess: onClose, onError: toast.refused })}
      >
        <Form.Item name="source" label={t("quality.level.source")}>
          <Select options={[{ value: 0, label: t("quality.allSources") }, ...sources.map((s) => ({ value: s.id, label: words.source(s.id) }))]} />
        </Form.Item>
        <Form.Item name="table" label={t("quality.level.table")} extra={t("quality.tableHint")} rules={[{ required: true, message: t("form.required") }]}>
          <Input maxLength={200} />
        </Form.Item>
        <Form.Item
          name="rule"
          label={t("quality.definition")}
          extra={t("quality.definitionHint")}
          rules={[{ required: true, message: t("form.required") }, { type: "object", message: t("quality.notJson") }]}
        >
          <JsonInput label={t("quality.definition")} />
        </Form.Item>
      </Form>
    </Modal>
  );
}

/** Every rule, to be switched off and on, changed, added. */
export function Rules() {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const words = useQualityWords();
  const { modal } = App.useApp();
  const flip = useSwitch();
  const remove = useRemoveRule();
  const query = usePaged(["quality", "rules"], fetchRules);
  const [opened, setOpened] = useState<{ rule: QualityRule | null } | null>(null);
  const writes = may("source.write");
  const ask = (rule: QualityRule) =>
    modal.confirm({
      title: t("quality.removeAsk"),
      okText: t("form.delete"),
      cancelText: t("form.cancel"),
      okButtonProps: { danger: true },
      onOk: () => remove.mutateAsync(rule.id).catch(toast.refused),
    });
  return (
    <Card
      title={t("quality.rules")}
      extra={writes && <Button type="primary" icon={<PlusOutlined />} onClick={() => setOpened({ rule: null })}>{t("quality.newRule")}</Button>}
    >
      <QueryTable<QualityRule>
        query={query}
        label={t("quality.rules")}
        rowKey={(r) => r.id}
        empty={<EmptyState title={t("quality.noRules")} />}
        columns={[
          {
            title: t("quality.on"),
            key: "on",
            render: (_, r) => (
              <Switch
                size="small"
                aria-label={`${t("quality.on")} ${r.key}`}
                checked={r.enabled}
                disabled={!writes || flip.isPending}
                onChange={(enabled) => flip.mutate({ rule: r, enabled }, { onError: toast.refused })}
              />
            ),
          },
          { title: t("quality.rule"), key: "kind", render: (_, r) => words.kind(String(r.rule.kind)) },
          { title: t("quality.dimension"), key: "dimension", render: (_, r) => words.dimension(r.dimension) },
          { title: t("quality.level.source"), key: "source", render: (_, r) => words.source(r.source) },
          { title: t("quality.level.table"), key: "table", render: (_, r) => words.table(r.table) },
          {
            title: t("quality.level.field"),
            key: "field",
            render: (_, r) => (typeof r.rule.field === "string" ? words.field(r.table, r.rule.field) : "–"),
          },
          { title: t("quality.parameters"), key: "parameters", render: (_, r) => <span className="cl-mono">{parameters(r.rule) || "–"}</span> },
          { title: "", key: "builtin", render: (_, r) => r.builtin && <Tag>{t("quality.builtin")}</Tag> },
          {
            title: "",
            key: "act",
            align: "right",
            render: (_, r) =>
              writes && (
                <Space>
                  <Button size="small" onClick={() => setOpened({ rule: r })}>{t("form.edit")}</Button>
                  <Button size="small" danger onClick={() => ask(r)}>{t("form.delete")}</Button>
                </Space>
              ),
          },
        ]}
      />
      {opened && <RuleDialog key={opened.rule?.id ?? "new"} before={opened.rule} onClose={() => setOpened(null)} />}
    </Card>
  );
}
