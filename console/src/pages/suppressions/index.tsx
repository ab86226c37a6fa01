import { PlusOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Form, Input } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { useReason } from "../../people/outcome";
import { WhyDialog } from "../../people/WhyDialog";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { fetchSuppressions, useLift, useSuppress, type Suppression } from "./queries";

/** Addresses that nothing is sent to. */
export default function Suppressions() {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const reason = useReason();
  const [address, setAddress] = useState("");
  const [adding, setAdding] = useState(false);
  const [lifting, setLifting] = useState<Suppression | null>(null);
  const query = usePaged(["suppressions", address], (cursor) => fetchSuppressions(address, cursor));
  const suppress = useSuppress();
  const lift = useLift();
  const add = may("journey.write") && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>{t("suppressions.add")}</Button>
  );
  return (
    <Page title={t("nav.suppressions")} hint={t("suppressions.hint")} extra={add}>
      <Card>
        <Flex vertical gap={12}>
          <Input.Search
            aria-label={t("suppressions.find")}
            placeholder={t("suppressions.find")}
            allowClear
            maxLength={400}
            style={{ maxWidth: 360 }}
            onSearch={(text) => setAddress(text.trim())}
          />
          <QueryTable<Suppression>
            query={query}
            label={t("nav.suppressions")}
            rowKey={(s) => s.id}
            empty={<EmptyState title={t("suppressions.empty")} hint={t("suppressions.emptyHint")} />}
            columns={[
              {
                title: t("suppressions.address"),
                key: "address",
                render: (_, s) => s.address ?? <span className="cl-mono" title={t("suppressions.nobody")}>{s.id.slice(0, 8)}…</span>,
              },
              { title: t("event.person"), key: "person", render: (_, s) => (s.person ? <Link to={`/persons/${s.person}`}>{s.display}</Link> : "–") },
              { title: t("sends.reason"), key: "reason", render: (_, s) => reason(s.reason) },
              { title: t("suppressions.since"), key: "at", render: (_, s) => <Time at={s.at} /> },
              {
                title: "",
                key: "act",
                align: "right",
                render: (_, s) => may("journey.write") && <Button size="small" onClick={() => setLifting(s)}>{t("suppressions.lift")}</Button>,
              },
            ]}
          />
        </Flex>
      </Card>
      <WhyDialog<{ address: string }>
        open={adding}
        title={t("suppressions.add")}
        okText={t("suppressions.add")}
        busy={suppress.isPending}
        onClose={() => setAdding(false)}
        onDone={(body) => suppress.mutate(body, { onSuccess: () => setAdding(false), onError: toast.refused })}
      >
        <Form.Item name="address" label={t("suppressions.address")} extra={t("suppressions.addressHint")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
          <Input maxLength={400} placeholder="mobile:139…" />
        </Form.Item>
      </WhyDialog>
      <WhyDialog
        open={lifting !== null}
        title={t("suppressions.liftAsk")}
        okText={t("suppressions.lift")}
        danger
        busy={lift.isPending}
        onClose={() => setLifting(null)}
        onDone={({ reason: why }) =>
          lifting && lift.mutate({ id: lifting.id, reason: why }, { onSuccess: () => setLifting(null), onError: toast.refused })
        }
      />
    </Page>
  );
}
