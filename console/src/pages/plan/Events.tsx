import { Button, Flex, Input, Select, Tag } from "antd";
import { useState } from "react";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { number } from "../../ui/format";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { ANYWHERE, fetchEvents, STATUSES, usePlanSettings, type EventFilter, type PlanEvent } from "./queries";
import { StatusTag, usePlaceName } from "./Status";

/** Planned events beside what arrives, filtered by name, touchpoint and status. */
export function Events({ onOpen }: { onOpen: (name: string) => void }) {
  const { t, tx, title } = useWords();
  const place = usePlaceName();
  const [filter, setFilter] = useState<EventFilter>({});
  const query = usePaged(["plan", "events", filter], (cursor) => fetchEvents(filter, cursor));
  const places = usePlanSettings().data?.touchpoints ?? [];
  return (
    <Flex vertical gap={12}>
      <Flex gap={8} wrap>
        <Input.Search aria-label={t("plan.find")} placeholder={t("plan.find")} allowClear maxLength={200} style={{ width: 260 }} onSearch={(q) => setFilter({ ...filter, q: q.trim() || undefined })} />
        <Select
          aria-label={t("plan.touchpoint")}
          placeholder={t("plan.touchpoint")}
          allowClear
          style={{ width: 180 }}
          value={filter.touchpoint}
          onChange={(touchpoint?: string) => setFilter({ ...filter, touchpoint })}
          options={[{ value: ANYWHERE, label: t("plan.anywhere") }, ...places.map((p) => ({ value: p.name, label: title(p.title, p.name) }))]}
        />
        <Select
          aria-label={t("plan.status")}
          placeholder={t("plan.status")}
          allowClear
          style={{ width: 140 }}
          value={filter.status}
          onChange={(status?: EventFilter["status"]) => setFilter({ ...filter, status })}
          options={STATUSES.map((status) => ({ value: status, label: t(`plan.status.${status}`) }))}
        />
      </Flex>
      <QueryTable<PlanEvent>
        query={query}
        label={t("plan.events")}
        rowKey={(e) => e.name}
        empty={<EmptyState title={t("plan.empty")} hint={t("plan.emptyHint")} />}
        columns={[
          {
            title: t("event.event"),
            key: "name",
            render: (_, e) => (
              <Flex vertical align="flex-start">
                <Button type="link" size="small" style={{ padding: 0 }} onClick={() => onOpen(e.name)}>{title(e.title, e.name)}</Button>
                <span className="cl-mono">{e.name}</span>
              </Flex>
            ),
          },
          { title: t("catalogue.stage"), key: "stage", render: (_, e) => tx(`stage.${e.stage}`, e.stage || "–") },
          { title: t("plan.owner"), key: "owner", render: (_, e) => e.owner || "–" },
          {
            title: t("plan.points"),
            key: "points",
            render: (_, e) => (
              <Flex vertical gap={4}>
                {e.points.slice(0, 4).map((p) => (
                  <span key={p.touchpoint}>{place(p.touchpoint)} <StatusTag status={p.status} /> <span className="cl-num">{number(p.count)}</span></span>
                ))}
                {e.points.length > 4 && <span>{t("plan.morePoints", { n: e.points.length - 4 })}</span>}
              </Flex>
            ),
          },
          { title: t("catalogue.properties"), key: "n", align: "right", render: (_, e) => e.properties.length },
          { title: t("plan.seen"), key: "count", align: "right", render: (_, e) => <span className="cl-num">{number(e.count)}</span> },
          { title: t("plan.lastSeen"), key: "last", render: (_, e) => <Time at={e.last_seen_at} relative /> },
          { title: t("plan.origin"), key: "origin", render: (_, e) => <Tag>{t(e.base ? (e.revision > 0 ? "plan.adapted" : "plan.fromPack") : "plan.own")}</Tag> },
        ]}
      />
    </Flex>
  );
}
