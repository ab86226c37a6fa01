import { Card, Flex, Input, Typography } from "antd";
import { useSearchParams } from "react-router";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { fetchAudit, type Entry } from "./queries";

/** Who did what, newest first; the log cannot be changed. */
export default function Audit() {
  const { t, tx } = useWords();
  const [params, setParams] = useSearchParams();
  const filter = { by: params.get("by") ?? "", action: params.get("action") ?? "" };
  const query = usePaged(["audit", filter], (cursor) => fetchAudit(filter, cursor));
  const put = (next: Partial<typeof filter>) =>
    setParams(Object.fromEntries(Object.entries({ ...filter, ...next }).filter(([, v]) => v)));
  return (
    <Page title={t("nav.audit")} hint={t("audit.hint")}>
      <Card>
        <Flex gap={8} wrap style={{ marginBottom: 16 }}>
          <Input.Search aria-label={t("audit.by")} placeholder={t("audit.by")} defaultValue={filter.by} allowClear onSearch={(by) => put({ by })} style={{ width: 220 }} />
          <Input.Search aria-label={t("audit.action")} placeholder={t("audit.action")} defaultValue={filter.action} allowClear onSearch={(action) => put({ action })} style={{ width: 260 }} />
        </Flex>
        <QueryTable<Entry>
          query={query}
          label={t("nav.audit")}
          rowKey={(e) => String(e.id)}
          empty={<EmptyState title={t("audit.empty")} />}
          columns={[
            { title: t("audit.at"), key: "at", render: (_, e) => <Time at={e.at} /> },
            { title: t("audit.by"), dataIndex: "caller" },
            { title: t("audit.action"), key: "action", render: (_, e) => tx(`audit.${e.action}`, e.action) },
            { title: t("audit.object"), key: "object", render: (_, e) => <span className="cl-mono">{e.object}</span> },
            {
              title: t("audit.detail"),
              key: "detail",
              render: (_, e) => (
                <Typography.Text type="secondary" className="cl-mono" ellipsis={{ tooltip: true }} style={{ maxWidth: 420 }}>
                  {Object.keys(e.detail).length > 0 ? JSON.stringify(e.detail) : "–"}
                </Typography.Text>
              ),
            },
          ]}
        />
      </Card>
    </Page>
  );
}
