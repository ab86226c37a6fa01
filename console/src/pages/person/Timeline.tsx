import { Button, Flex, Skeleton, Timeline as Line, Typography } from "antd";
import { useState } from "react";
import { useCatalogue, type Catalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { EventSelect } from "../../rules/EventSelect";
import { Json } from "../../ui/Code";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { clockTime, dayKey, dayTitle } from "../../ui/format";
import { usePaged } from "../../ui/QueryTable";
import { fetchTimeline, type Person, type PersonEvent } from "./queries";

function brief(row: PersonEvent, catalogue: Catalogue | undefined, { t, title }: ReturnType<typeof useWords>): string {
  const show = (value: unknown) => (typeof value === "boolean" ? t(value ? "rule.true" : "rule.false") : String(value));
  const plan = catalogue?.event_types.find((e) => e.name === row.event);
  return Object.entries(row.properties)
    .filter(([name, value]) => !name.startsWith("$") && ["string", "number", "boolean"].includes(typeof value))
    .slice(0, 4)
    .map(([name, value]) => `${title(plan?.properties.find((p) => p.name === name)?.title, name)} ${show(value)}`)
    .join(" · ");
}

function Item({ row, catalogue }: { row: PersonEvent; catalogue: Catalogue | undefined }) {
  const words = useWords();
  const { t, title } = words;
  const [open, setOpen] = useState(false);
  return (
    <div>
      <Flex gap={8} align="baseline" wrap>
        <Typography.Text type="secondary" className="cl-num">{clockTime(row.occurred_at)}</Typography.Text>
        <Typography.Text strong>{title(row.title, row.event)}</Typography.Text>
        {row.source && <Typography.Text type="secondary">{row.source}</Typography.Text>}
        <Button type="link" size="small" aria-expanded={open} onClick={() => setOpen(!open)} style={{ paddingInline: 0 }}>
          {t(open ? "event.less" : "event.more")}
        </Button>
      </Flex>
      <Typography.Text type="secondary">{brief(row, catalogue, words)}</Typography.Text>
      {open && <Json value={row} label={row.event} />}
    </div>
  );
}

/** What happened, newest first, day by day in the tenant's zone. */
export function Timeline({ person }: { person: Person }) {
  const { t, language } = useWords();
  const catalogue = useCatalogue();
  const [event, setEvent] = useState("");
  const query = usePaged(["person", person.id, "timeline", event], (cursor) => fetchTimeline(person.id, event, cursor));
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  const days = [...new Set(rows.map((row) => dayKey(row.occurred_at)))];
  return (
    <Flex vertical gap={12}>
      {catalogue.data && (
        <EventSelect catalogue={catalogue.data} value={event} onChange={setEvent} allowClear placeholder={t("event.all")} width={240} />
      )}
      {query.isPending && <Skeleton active />}
      {query.isError && rows.length === 0 && <ErrorState problem={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && <EmptyState title={t("person.noEvents")} hint={t("person.noEventsHint")} />}
      {days.map((day) => {
        const shown = rows.filter((row) => dayKey(row.occurred_at) === day);
        return (
          <section key={day} aria-label={day}>
            <Typography.Title level={3} style={{ fontSize: 14, marginTop: 4 }}>{dayTitle(shown[0]!.occurred_at, language)}</Typography.Title>
            <Line items={shown.map((row) => ({ key: row.id, content: <Item row={row} catalogue={catalogue.data} /> }))} />
          </section>
        );
      })}
      {query.hasNextPage && (
        <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} style={{ alignSelf: "center" }}>
          {t("table.more")}
        </Button>
      )}
    </Flex>
  );
}
