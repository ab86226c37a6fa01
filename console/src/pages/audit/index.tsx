import { Card, Flex, Select, Typography } from "antd";
import { useSearchParams } from "react-router";
import { useCallers } from "../../api/callers";
import { useWords } from "../../i18n";
import { zh } from "../../locales/zh";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { fetchAudit, type Entry } from "./queries";

const HEADS = ["hint", "empty", "at", "by", "action", "object", "detail"];

/** The actions we have a word for. */
const ACTIONS = Object.keys(zh)
  .filter((key) => key.startsWith("audit."))
  .map((key) => key.slice("audit.".length))
  .filter((word) => !HEADS.includes(word));

type ChoiceProps = { label: string; value: string; options: { value: string; label: string }[]; onChange: (value: string) => void };

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <Select
      aria-label={label}
      placeholder={label}
      allowClear
      showSearch={{ optionFilterProp: "label" }}
      value={value || undefined}
      options={options}
      onChange={(next?: string) => onChange(next ?? "")}
      style={{ width: 240 }}
    />
  );
}

/** Who did what, newest first; the log cannot be changed. */
export default function Audit() {
  const { t, tx } = useWords();
  const [params, setParams] = useSearchParams();
  const filter = { by: params.get("by") ?? "", action: params.get("action") ?? "" };
  const callers = useCallers();
  const actions = ACTIONS.map((value) => ({ value, label: tx(`audit.${value}`, value) }));
  const shown = (name: string, value: unknown) => {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return name === "code" ? tx(`problem.${text}`, text) : text;
  };
  const detail = (of: Entry["detail"]) =>
    Object.entries(of).map(([name, value]) => `${tx(`auditDetail.${name}`, name)} ${shown(name, value)}`).join(" · ");
  const query = usePaged(["audit", filter], (cursor) => fetchAudit(filter, cursor));
  const put = (next: Partial<typeof filter>) =>
    setParams(Object.fromEntries(Object.entries({ ...filter, ...next }).filter(([, v]) => v)));
  return (
    <Page title={t("nav.audit")} hint={t("audit.hint")}>
      <Card>
        <Flex gap={8} wrap style={{ marginBottom: 16 }}>
          <Choice label={t("audit.by")} value={filter.by} options={callers.map((one) => ({ value: one.id, label: one.name }))} onChange={(by) => put({ by })} />
          <Choice label={t("audit.action")} value={filter.action} options={actions} onChange={(action) => put({ action })} />
        </Flex>
        <QueryTable<Entry>
          query={query}
          label={t("nav.audit")}
          rowKey={(e) => String(e.id)}
          empty={<EmptyState title={t("audit.empty")} />}
          columns={[
            { title: t("audit.at"), key: "at", render: (_, e) => <Time at={e.at} /> },
            { title: t("audit.by"), key: "by", render: (_, e) => callers.find((one) => one.id === e.caller)?.name ?? e.caller },
            { title: t("audit.action"), key: "action", render: (_, e) => tx(`audit.${e.action}`, e.action) },
            { title: t("audit.object"), key: "object", render: (_, e) => <Typography.Text className="cl-mono" ellipsis={{ tooltip: true }} style={{ maxWidth: 250 }}>{e.object}</Typography.Text> },
            {
              title: t("audit.detail"),
              key: "detail",
              render: (_, e) => (
                <Typography.Text type="secondary" ellipsis={{ tooltip: true }} style={{ maxWidth: 240 }}>
                  {detail(e.detail) || "–"}
                </Typography.Text>
              ),
            },
          ]}
        />
      </Card>
    </Page>
  );
}
