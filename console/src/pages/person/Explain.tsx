import { Alert, Button, Flex, Form, Input, Select, Space, Typography } from "antd";
import { useCatalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { useProblemText } from "../../ui/ErrorState";
import { EdgeTable } from "./EdgeTable";
import { useExplain } from "./queries";

type End = { type: string; namespace?: string; value: string };
type Fields = { a: End; b: End };

/** `type:value` or `type:namespace:value`, as the API takes it. */
const written = ({ type, namespace, value }: End) =>
  [type, ...(namespace?.trim() ? [namespace.trim()] : []), value.trim()].join(":");

function EndFields({ name, label }: { name: "a" | "b"; label: string }) {
  const { t, title } = useWords();
  const types = (useCatalogue().data?.identifier_types ?? []).filter((i) => i.entity === "person");
  const chosen = Form.useWatch<string | undefined>([name, "type"]);
  const namespaced = types.find((i) => i.name === chosen)?.namespaced ?? false;
  return (
    <Form.Item label={label} style={{ margin: 0 }}>
      <Space.Compact>
        <Form.Item name={[name, "type"]} noStyle>
          <Select aria-label={`${label} ${t("identifier.type")}`} style={{ width: 130 }} options={types.map((i) => ({ value: i.name, label: title(i.title, i.name) }))} />
        </Form.Item>
        {namespaced && (
          <Form.Item name={[name, "namespace"]} noStyle preserve={false} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
            <Input aria-label={`${label} ${t("explain.namespace")}`} placeholder={t("explain.namespace")} maxLength={100} style={{ width: 150 }} />
          </Form.Item>
        )}
        <Form.Item name={[name, "value"]} noStyle rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
          <Input aria-label={`${label} ${t("identifier.value")}`} maxLength={200} style={{ width: 190 }} />
        </Form.Item>
      </Space.Compact>
    </Form.Item>
  );
}

/** Why two identifiers are one person: the shortest chain of evidence between them. */
export function Explain() {
  const { t } = useWords();
  const text = useProblemText();
  const explain = useExplain();
  const path = explain.data;
  return (
    <Flex vertical gap={12}>
      <Typography.Title level={3} style={{ fontSize: 14, margin: 0 }}>{t("explain.title")}</Typography.Title>
      <Form<Fields>
        layout="inline"
        style={{ rowGap: 8 }}
        initialValues={{ a: { type: "mobile" }, b: { type: "mobile" } }}
        onFinish={({ a, b }) => explain.mutate({ a: written(a), b: written(b) })}
      >
        <EndFields name="a" label={t("explain.one")} />
        <EndFields name="b" label={t("explain.other")} />
        <Button htmlType="submit" loading={explain.isPending}>{t("explain.ask")}</Button>
      </Form>
      {explain.error && <Alert type="error" showIcon title={text(explain.error)} />}
      {path && (
        <Alert
          showIcon
          type={path.same ? "success" : "warning"}
          title={path.same ? t("explain.same", { n: path.steps.length }) : t("explain.different")}
        />
      )}
      {path && path.steps.length > 0 && <EdgeTable edges={path.steps} nodes={path.nodes} />}
    </Flex>
  );
}
