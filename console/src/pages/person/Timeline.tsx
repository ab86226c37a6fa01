import { Button, Flex, Skeleton, Timeline as Line, Typography } from "antd";
import { useState } from "react";
import { useCatalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { useEventWords } from "../../people/event";
import { EventSelect } from "../../rules/EventSelect";
import { Json } from "../../ui/Code";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { clockTime, dayKey, dayTitle } from "../../ui/format";
import { usePaged } from "../../ui/QueryTable";
import { fetchTimeline, type Person, type PersonEvent } from "./queries";

function Item({ row }: { row: PersonEvent }) {
  const { t } = useWords();
  const words = useEventWords();
  const about = words.brief(row);
  const [open, setOpen] = useState(false);
  return (
    <div>
      <Flex gap={8} align="baseline" wrap>
        <Typography.Text type="secondary" className="cl-num">{clockTime(row.occurred_at)}</Typography.Text>
        <Typography.Text strong>{words.event(row.event, row.title)}</Typography.Text>
        {row.source && <Typography.Text type="secondary">{words.source(row.source)}</Typography.Text>}
        <Button type="link" size="small" aria-expanded={open} onClick={() => setOpen(!open)} style={{ paddingInline: 0 }}>
          {t(open ? "event.less" : "event.more")}
        </Button>
      </Flex>
      {about && <Typography.Text type="secondary" style={{ overflowWrap: "anywhere" }}>{about}</Typography.Text>}
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
            <Line className="cl-timeline" items={shown.map((row) => ({ key: row.id, content: <Item row={row} /> }))} />
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
