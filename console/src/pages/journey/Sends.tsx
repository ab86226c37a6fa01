import { Flex, Select, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useWords } from "../../i18n";
import { useReason } from "../../people/outcome";
import { EmptyState } from "../../ui/EmptyState";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { fetchSends, type Send } from "./queries";

const STATES = ["new", "claimed", "attempting", "sent", "failed", "unknown", "suppressed", "expired"] as const;
const COLOURS: Record<string, string> = { sent: "success", failed: "error", unknown: "warning", suppressed: "default", expired: "default" };

/** What became of each message, with its reason. */
export function Sends({ journey }: { journey: string }) {
  const { t, tx } = useWords();
  const reason = useReason();
  const [state, setState] = useState("");
  const query = usePaged(["journey", journey, "sends", state], (cursor) => fetchSends(journey, state, cursor), { refetchInterval: 5_000 });
  return (
    <Flex vertical gap={12}>
      <Select
        aria-label={t("sends.state")}
        placeholder={t("sends.allStates")}
        allowClear
        value={state || undefined}
        onChange={(next?: string) => setState(next ?? "")}
        options={STATES.map((s) => ({ value: s, label: t(`send.${s}`) }))}
        style={{ width: 200 }}
      />
      <QueryTable<Send>
        query={query}
        label={t("journey.sends")}
        rowKey={(s) => s.key}
        empty={<EmptyState title={t("sends.empty")} hint={t("sends.emptyHint")} />}
        columns={[
          { title: t("event.person"), key: "person", render: (_, s) => (s.person ? <Link to={`/persons/${s.person}`}>{s.display ?? t("sends.person")}</Link> : "–") },
          { title: t("sources.state"), key: "state", render: (_, s) => <Tag color={COLOURS[s.state]} variant="outlined">{tx(`send.${s.state}`, s.state)}</Tag> },
          { title: t("sends.reason"), key: "reason", render: (_, s) => (s.reason ? reason(s.reason) : "–") },
          { title: t("sends.node"), key: "node", render: (_, s) => <span className="cl-mono">{s.key.split(":")[1]}</span> },
          { title: t("sends.attempts"), key: "n", align: "right", render: (_, s) => s.attempts },
          { title: t("sends.at"), key: "at", render: (_, s) => <Time at={s.updated_at} /> },
        ]}
      />
    </Flex>
  );
}
