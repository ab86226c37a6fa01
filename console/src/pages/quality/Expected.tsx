import { Button, Card, Flex, Form, Input, InputNumber, Modal } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { number } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { useToast } from "../../ui/toast";
import { fetchCodeTables, useSaveCodes, useSaveThresholds, useThresholds, type CodeTable, type Thresholds } from "./queries";
import { DIMENSIONS, useQualityWords } from "./words";

function ThresholdForm({ kept }: { kept: Thresholds }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const words = useQualityWords();
  const save = useSaveThresholds();
  return (
    <Form
      layout="inline"
      initialValues={kept}
      disabled={!may("source.write")}
      style={{ rowGap: 12 }}
      onFinish={(values: Thresholds) =>
        save.mutate({ ...kept, ...values }, { onSuccess: () => toast.done(t("quality.saved")), onError: toast.refused })
      }
    >
      {DIMENSIONS.map((name) => (
        <Form.Item key={name} name={name} label={words.dimension(name)} rules={[{ required: true, message: t("form.required") }]}>
          <InputNumber min={0} max={100} suffix="%" style={{ width: 110 }} />
        </Form.Item>
      ))}
      <Form.Item name="sla_seconds" label={t("quality.sla")} rules={[{ required: true, message: t("form.required") }]}>
        <InputNumber min={1} max={31_536_000} precision={0} style={{ width: 130 }} />
      </Form.Item>
      {may("source.write") && <Button htmlType="submit" loading={save.isPending}>{t("form.save")}</Button>}
    </Form>
  );
}

/** `code,title` a line each. */
export const codesOf = (text: string) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [code = "", ...title] = line.split(/[,，\t]/);
      return { code: code.trim(), title: title.join(",").trim() };
    })
    .filter(({ code }) => code);

function Codes() {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const save = useSaveCodes();
  const [adding, setAdding] = useState(false);
  const query = usePaged(["quality", "codes"], fetchCodeTables);
  const [form] = Form.useForm<{ name: string; text: string }>();
  return (
    <Card
      title={t("quality.codes")}
      extra={may("source.write") && <Button onClick={() => setAdding(true)}>{t("quality.importCodes")}</Button>}
    >
      <QueryTable<CodeTable>
        query={query}
        label={t("quality.codes")}
        rowKey={(c) => c.name}
        empty={<EmptyState title={t("quality.noCodes")} />}
        columns={[
          { title: t("quality.codeTable"), key: "name", render: (_, c) => <span className="cl-mono">{c.name}</span> },
          { title: t("quality.codeNumber"), key: "number", align: "right", render: (_, c) => <span className="cl-num">{number(c.number)}</span> },
        ]}
      />
      <Modal
        open={adding}
        title={t("quality.importCodes")}
        okText={t("form.save")}
        cancelText={t("form.cancel")}
        confirmLoading={save.isPending}
        onCancel={() => setAdding(false)}
        onOk={() => form.submit()}
        destroyOnHidden
      >
        <Form
          form={form}
          layout="vertical"
          preserve={false}
          onFinish={({ name, text }) => save.mutate({ name, codes: codesOf(text) }, { onSuccess: () => setAdding(false), onError: toast.refused })}
        >
          <Form.Item name="name" label={t("quality.codeTable")} extra={t("quality.codeTableHint")} rules={[{ required: true, pattern: /^[a-z0-9_]{1,100}$/, message: t("quality.codeTableName") }]}>
            <Input maxLength={100} placeholder="channel" />
          </Form.Item>
          <Form.Item name="text" label={t("quality.codeLines")} extra={t("quality.codeLinesHint")} rules={[{ required: true, message: t("form.required") }]}>
            <Input.TextArea autoSize={{ minRows: 6, maxRows: 16 }} placeholder={"官网,Website\n抖音,Douyin"} />
          </Form.Item>
        </Form>
      </Modal>
    </Card>
  );
}

/** What is expected, and the codes that are allowed. */
export function Expected() {
  const { t } = useWords();
  return (
    <Flex vertical gap={16}>
      <Card title={t("quality.thresholds")}>
        <Loaded query={useThresholds()} rows={2}>{(kept) => <ThresholdForm kept={kept} />}</Loaded>
      </Card>
      <Codes />
    </Flex>
  );
}
