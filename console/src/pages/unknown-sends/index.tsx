import { Button, Card, Form, Radio } from "antd";
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
import { fetchUnknown, useSettle, type Settlement, type UnknownSend } from "./queries";

/** Sends of all journeys whose outcome nobody knows, to be settled by hand. */
export default function UnknownSends() {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const reason = useReason();
  const query = usePaged(["unknown-sends"], fetchUnknown);
  const settle = useSettle();
  const [chosen, setChosen] = useState<UnknownSend | null>(null);
  return (
    <Page title={t("nav.unknownSends")} hint={t("unknownSends.hint")}>
      <Card>
        <QueryTable<UnknownSend>
          query={query}
          label={t("nav.unknownSends")}
          rowKey={(s) => s.key}
          empty={<EmptyState title={t("unknownSends.empty")} hint={t("unknownSends.emptyHint")} />}
          columns={[
            { title: t("event.person"), key: "person", render: (_, s) => (s.person ? <Link to={`/persons/${s.person}`}>{s.display}</Link> : "–") },
            { title: t("unknownSends.journey"), key: "journey", render: (_, s) => <Link to={`/journeys/${s.journey}`}>{s.journey_name}</Link> },
            { title: t("unknownSends.channel"), key: "channel", render: (_, s) => s.channel_name },
            { title: t("sends.reason"), key: "reason", render: (_, s) => (s.reason ? reason(s.reason) : "–") },
            { title: t("unknownSends.attempted"), key: "at", render: (_, s) => <Time at={s.attempted_at} /> },
            {
              title: "",
              key: "act",
              align: "right",
              render: (_, s) => may("journey.send") && <Button size="small" onClick={() => setChosen(s)}>{t("unknownSends.settle")}</Button>,
            },
          ]}
        />
      </Card>
      <WhyDialog<Pick<Settlement, "outcome">>
        open={chosen !== null}
        title={t("unknownSends.ask")}
        okText={t("unknownSends.settle")}
        busy={settle.isPending}
        initial={{ outcome: "delivered" }}
        onClose={() => setChosen(null)}
        onDone={(body) => chosen && settle.mutate({ key: chosen.key, ...body }, { onSuccess: () => setChosen(null), onError: toast.refused })}
      >
        <Form.Item name="outcome" label={t("unknownSends.outcome")}>
          <Radio.Group
            options={[
              { value: "delivered", label: t("unknownSends.delivered") },
              { value: "failed", label: t("unknownSends.failed") },
            ]}
          />
        </Form.Item>
      </WhyDialog>
    </Page>
  );
}
