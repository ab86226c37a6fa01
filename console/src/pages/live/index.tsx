import { PauseOutlined, CaretRightOutlined } from "@ant-design/icons";
import { Button, Card, Descriptions, Drawer, Flex, Select, Tag, Typography } from "antd";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useCatalogue } from "../../api/catalogue";
import { useMay } from "../../api/session";
import { useSourceList } from "../../api/sources";
import type { EventRow } from "../../api/types";
import { useWords } from "../../i18n";
import { useEventWords } from "../../people/event";
import { EventSelect } from "../../rules/EventSelect";
import { Json } from "../../ui/Code";
import { EmptyState } from "../../ui/EmptyState";
import { short } from "../../ui/format";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { fetchEvents } from "./queries";

function PersonLink({ row }: { row: EventRow }) {
  const { t } = useWords();
  const may = useMay();
  if (!row.person) return <>–</>;
  const name = short(row.person.display) || t("person.anonymous");
  return may("person.read") ? <Link to={`/persons/${row.person.id}`}>{name}</Link> : <>{name}</>;
}

function Detail({ row, onClose }: { row: EventRow | null; onClose: () => void }) {
  const { t } = useWords();
  const words = useEventWords();
  return (
    <Drawer open={row !== null} size={640} onClose={onClose} title={row ? words.event(row.event, row.title) : ""} destroyOnHidden>
      {row && (
        <Flex vertical gap={16}>
          <Descriptions
            size="small"
            column={1}
            items={[
              { key: "p", label: t("event.person"), children: <PersonLink row={row} /> },
              { key: "o", label: t("event.occurredAt"), children: <Time at={row.occurred_at} /> },
              { key: "r", label: t("event.receivedAt"), children: <Time at={row.received_at} /> },
              { key: "s", label: t("event.source"), children: row.source ? words.source(row.source.name) : "–" },
              { key: "i", label: "ID", children: <span className="cl-mono">{row.id}</span> },
            ]}
          />
          <Json value={row.properties} label={t("event.properties")} />
        </Flex>
      )}
    </Drawer>
  );
}

/** The tail of what arrives, refreshed every two seconds unless paused. */
export default function Live() {
  const { t, title } = useWords();
  const words = useEventWords();
  const catalogue = useCatalogue();
  const types = catalogue.data?.entity_types ?? [];
  const may = useMay();
  const sources = useSourceList();
  const [params, setParams] = useSearchParams();
  const [paused, setPaused] = useState(false);
  const [chosen, setChosen] = useState<EventRow | null>(null);
  const filter = { event: params.get("event") ?? "", source: params.get("source") ?? "" };
  const put = (next: Partial<typeof filter>) =>
    setParams(Object.fromEntries(Object.entries({ ...filter, ...next }).filter(([, v]) => v)), { replace: true });
  const query = usePaged(["events", filter], (cursor) => fetchEvents(filter, cursor), {
    refetchInterval: paused || chosen ? false : 2_000,
  });
  return (
    <Page
      title={t("nav.live")}
      hint={t("live.hint")}
      extra={
        <Button icon={paused ? <CaretRightOutlined /> : <PauseOutlined />} onClick={() => setPaused(!paused)}>
          {t(paused ? "live.resume" : "live.pause")}
        </Button>
      }
    >
      <Card>
        <Flex gap={8} align="center" wrap style={{ marginBottom: 16 }}>
          {!catalogue.data && <Select aria-label={t("event.event")} placeholder={t("event.all")} disabled style={{ width: 240 }} />}
          {catalogue.data && (
            <EventSelect catalogue={catalogue.data} value={filter.event} onChange={(event) => put({ event })} allowClear placeholder={t("event.all")} width={240} />
          )}
          {may("source.read") && (
            <Select
              aria-label={t("event.source")}
              placeholder={t("live.allSources")}
              allowClear
              value={filter.source || undefined}
              onChange={(source?: string) => put({ source: source ?? "" })}
              options={(sources.data?.items ?? []).map((s) => ({ value: String(s.id), label: words.source(s.name) }))}
              style={{ width: 200 }}
            />
          )}
          <span style={{ flex: 1 }} />
          <Typography.Text type="secondary" role="status">
            {paused || query.isError ? t("live.paused") : <Flex gap={8} align="center"><span className="cl-live" aria-hidden />{t("live.running")}</Flex>}
          </Typography.Text>
        </Flex>
        <QueryTable<EventRow>
          query={query}
          label={t("nav.live")}
          rowKey={(row) => row.id}
          empty={<EmptyState title={t("live.empty")} hint={t("live.emptyHint")} action={may("source.read") && <Link to="/sources"><Button>{t("first.sourceGo")}</Button></Link>} />}
          columns={[
            { title: t("event.occurredAt"), key: "at", width: 170, render: (_, row) => <Time at={row.occurred_at} /> },
            {
              title: t("event.event"),
              key: "event",
              render: (_, row) => (
                <Button type="link" size="small" style={{ paddingInline: 0 }} onClick={() => setChosen(row)}>
                  {words.event(row.event, row.title)}
                </Button>
              ),
            },
            { title: t("event.person"), key: "person", render: (_, row) => <PersonLink row={row} /> },
            { title: t("event.source"), key: "source", render: (_, row) => (row.source ? words.source(row.source.name) : "–") },
            {
              title: t("event.entities"),
              key: "entities",
              render: (_, row) => row.entities.map((e) => <Tag key={`${e.type}${e.id}`} variant="filled">{title(types.find((one) => one.name === e.type)?.title, e.type)} {e.key}</Tag>),
            },
            {
              title: t("event.properties"),
              key: "properties",
              render: (_, row) => (
                <Typography.Text type="secondary" ellipsis style={{ maxWidth: 360 }}>{words.brief(row, 6) || "–"}</Typography.Text>
              ),
            },
          ]}
        />
      </Card>
      <Detail row={chosen} onClose={() => setChosen(null)} />
    </Page>
  );
}
