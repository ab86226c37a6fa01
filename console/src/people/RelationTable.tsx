import { Flex, Segmented, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useCatalogue } from "../api/catalogue";
import type { Schemas, Titles } from "../api/types";
import { useWords } from "../i18n";
import { EmptyState } from "../ui/EmptyState";
import { number, short } from "../ui/format";
import { ScrollTable } from "../ui/ScrollTable";
import { Time } from "../ui/Time";

export type Relation = {
  kind: string;
  title: Titles;
  with: { type: string; id: string; label: string } | null;
  since: string;
  until: string | null;
};

export const ofPerson = (r: Schemas["RelationView"]): Relation => ({
  ...r,
  with: { type: r.entity_type, id: r.entity_id, label: r.entity },
});

export const ofEntity = (r: Schemas["EntityRelationView"]): Relation => ({
  ...r,
  with: r.person
    ? { type: "person", id: r.person.id, label: r.person.name ?? short(r.person.display) }
    : r.entity && { type: r.entity.type, id: r.entity.id, label: r.entity.key },
});

const PAGE = 20;

/** Those that still hold before those that ended, each by when it began. */
const newestFirst = (a: Relation, b: Relation) =>
  Number(b.until === null) - Number(a.until === null) || b.since.localeCompare(a.since);

/** Dated relations to vehicles, dealers, advisors and people. */
export function RelationTable({ relations }: { relations: Relation[] }) {
  const { t, title } = useWords();
  const [chosen, setChosen] = useState("");
  const types = useCatalogue().data?.entity_types ?? [];
  if (relations.length === 0) return <EmptyState title={t("relation.none")} hint={t("relation.noneHint")} />;
  const kinds = [...new Set(relations.map((r) => r.kind))];
  const many = relations.length > PAGE;
  const grouped = kinds.flatMap((kind) => (chosen && chosen !== kind ? [] : relations.filter((r) => r.kind === kind).sort(newestFirst)));
  const named = (kind: string) => title(relations.find((r) => r.kind === kind)?.title, kind);
  return (
    <Flex vertical gap={12}>
      {many && kinds.length > 1 && (
        <Segmented
          aria-label={t("relation.kind")}
          value={chosen}
          onChange={setChosen}
          options={[
            { value: "", label: `${t("relation.all")} (${number(relations.length)})` },
            ...kinds.map((kind) => ({ value: kind, label: `${named(kind)} (${number(relations.filter((r) => r.kind === kind).length)})` })),
          ]}
          style={{ alignSelf: "flex-start", maxWidth: "100%", overflow: "auto" }}
        />
      )}
      <ScrollTable<Relation>
        key={chosen}
        rowKey={(r) => `${r.kind}/${r.with?.id}/${r.since}`}
        dataSource={grouped}
        pagination={grouped.length > PAGE ? { pageSize: PAGE, showSizeChanger: false } : false}
        columns={[
          { title: t("relation.kind"), key: "kind", render: (_, r) => title(r.title, r.kind) },
          {
            title: t("relation.with"),
            key: "with",
            render: (_, r) => {
              if (!r.with) return "–";
              const person = r.with.type === "person";
              return (
                <>
                  <Tag variant="filled" style={{ marginInlineEnd: 8 }}>{person ? t("event.person") : title(types.find((e) => e.name === r.with!.type)?.title, r.with.type)}</Tag>
                  <Link to={person ? `/persons/${r.with.id}` : `/entities/${r.with.type}/${r.with.id}`} className="cl-mono">{r.with.label}</Link>
                </>
              );
            },
          },
          { title: t("relation.since"), key: "since", render: (_, r) => <Time at={r.since} /> },
          {
            title: t("relation.until"),
            key: "until",
            render: (_, r) => (r.until ? <Time at={r.until} /> : <Tag color="success" variant="outlined">{t("relation.current")}</Tag>),
          },
        ]}
      />
    </Flex>
  );
}
