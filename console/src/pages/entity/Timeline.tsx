import { Flex, Typography } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useCatalogue } from "../../api/catalogue";
import type { EventRow } from "../../api/types";
import { useWords } from "../../i18n";
import { useEventWords } from "../../people/event";
import { EventSelect } from "../../rules/EventSelect";
import { EmptyState } from "../../ui/EmptyState";
import { number } from "../../ui/format";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { fetchTimeline } from "./queries";

/** What happened to a vehicle, a dealer or an advisor, newest first; whoever was there beside it. */
export function Timeline({ type, id }: { type: string; id: string }) {
  const { t } = useWords();
  const words = useEventWords();
  const catalogue = useCatalogue();
  const [event, setEvent] = useState("");
  const query = usePaged(["entity", type, id, "timeline", event], (cursor) => fetchTimeline(type, id, event, cursor));
  const first = query.data?.pages[0];
  const total = first && "total" in first ? Number(first.total) : undefined;
  return (
    <Flex vertical gap={12}>
      <Flex gap={12} align="center" wrap>
        {catalogue.data && (
          <EventSelect catalogue={catalogue.data} value={event} onChange={setEvent} allowClear placeholder={t("event.all")} width={240} />
        )}
        {total !== undefined && <Typography.Text type="secondary">{t("entity.events", { n: number(total) })}</Typography.Text>}
      </Flex>
      <QueryTable<EventRow>
        query={query}
        label={t("person.timeline")}
        rowKey={(row) => row.id}
        empty={<EmptyState title={t("person.noEvents")} hint={t("entity.noEventsHint")} />}
        columns={[
          { title: t("event.occurredAt"), key: "at", render: (_, row) => <Time at={row.occurred_at} /> },
          { title: t("event.event"), key: "event", render: (_, row) => words.event(row.event, row.title) },
          {
            title: t("event.person"),
            key: "person",
            render: (_, row) =>
              row.person ? <Link to={`/persons/${row.person.id}`}>{row.person.display || t("person.anonymous")}</Link> : "–",
          },
          { title: t("event.source"), key: "source", render: (_, row) => (row.source ? words.source(row.source.name) : "–") },
          {
            title: t("event.properties"),
            key: "properties",
            render: (_, row) => <Typography.Text type="secondary">{words.brief(row)}</Typography.Text>,
          },
        ]}
      />
    </Flex>
  );
}
