import { Button, Flex, Tag, Typography } from "antd";
import { useMay } from "../../api/session";
import { useSourceName } from "../../api/sources";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { number } from "../../ui/format";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import type { Opened } from "./EventDrawer";
import { fetchMisfits, fetchUnplanned, type FieldType, type Misfit, type Unplanned } from "./queries";

/** Names that arrive and that nobody planned, to be taken into the plan. */
export function UnplannedList({ onAdd }: { onAdd: (opened: Opened) => void }) {
  const { t, tx } = useWords();
  const may = useMay();
  const source = useSourceName();
  const query = usePaged(["plan", "unplanned"], fetchUnplanned);
  const add = (u: Unplanned) =>
    onAdd({
      name: u.event,
      fresh: u.property === "",
      properties: u.property
        ? [{ name: u.property, title: {}, type: (u.type ?? "string") as FieldType, required: false, allowed: [], owner: "", status: "design", description: "" }]
        : [],
    });
  return (
    <QueryTable<Unplanned>
      query={query}
      label={t("plan.unplanned")}
      rowKey={(u) => `${u.event}/${u.property}`}
      empty={<EmptyState title={t("plan.noUnplanned")} hint={t("plan.noUnplannedHint")} />}
      columns={[
        { title: t("plan.what"), key: "kind", render: (_, u) => <Tag>{t(u.property ? "plan.subject.property" : "plan.subject.event")}</Tag> },
        { title: t("event.event"), key: "event", render: (_, u) => <span className="cl-mono">{u.event}</span> },
        { title: t("plan.property"), key: "property", render: (_, u) => (u.property ? <span className="cl-mono">{u.property}</span> : "–") },
        { title: t("catalogue.type"), key: "type", render: (_, u) => (u.type ? tx(`valueType.${u.type}`, u.type) : "–") },
        { title: t("plan.samples"), key: "samples", render: (_, u) => <Typography.Text type="secondary" ellipsis style={{ maxWidth: 280 }}>{u.samples.join(" · ") || "–"}</Typography.Text> },
        { title: t("event.source"), key: "sources", render: (_, u) => u.sources.map(source).join(", ") },
        { title: t("plan.seen"), key: "count", align: "right", render: (_, u) => <span className="cl-num">{u.property ? t("plan.ofLooked", { n: number(u.count), of: number(u.looked) }) : number(u.count)}</span> },
        { title: "", key: "act", align: "right", render: (_, u) => may("source.write") && <Button size="small" onClick={() => add(u)}>{t("plan.addToPlan")}</Button> },
      ]}
    />
  );
}

/** Values that arrive and do not fit the plan. */
export function MisfitList({ onOpen }: { onOpen: (name: string) => void }) {
  const { t, tx } = useWords();
  const source = useSourceName();
  const query = usePaged(["plan", "violations"], fetchMisfits);
  return (
    <Flex vertical gap={8}>
      <Typography.Text type="secondary">{t("plan.misfitsHint")}</Typography.Text>
      <QueryTable<Misfit>
        query={query}
        label={t("plan.misfits")}
        rowKey={(m) => `${m.event}/${m.property}/${m.source}/${m.code}`}
        empty={<EmptyState title={t("plan.noMisfits")} hint={t("plan.noMisfitsHint")} />}
        columns={[
          { title: t("event.event"), key: "event", render: (_, m) => <Button type="link" size="small" style={{ padding: 0 }} onClick={() => onOpen(m.event)}>{m.event}</Button> },
          { title: t("plan.property"), key: "property", render: (_, m) => <span className="cl-mono">{m.property}</span> },
          { title: t("quarantine.reason"), key: "code", render: (_, m) => tx(`reason.${m.code}`, tx(`problem.${m.code}`, m.code)) },
          { title: t("plan.expected"), key: "expected", render: (_, m) => tx(`valueType.${m.expected}`, m.expected) },
          { title: t("plan.samples"), key: "samples", render: (_, m) => <Typography.Text type="secondary" ellipsis style={{ maxWidth: 280 }}>{m.samples.join(" · ") || "–"}</Typography.Text> },
          { title: t("event.source"), key: "source", render: (_, m) => source(m.source) },
          { title: t("plan.seen"), key: "count", align: "right", render: (_, m) => <span className="cl-num">{t("plan.ofLooked", { n: number(m.count), of: number(m.looked) })}</span> },
        ]}
      />
    </Flex>
  );
}
