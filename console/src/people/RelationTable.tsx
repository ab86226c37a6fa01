import { Tag, Typography } from "antd";
import { Link } from "react-router";
import { useCatalogue } from "../api/catalogue";
import type { Schemas, Titles } from "../api/types";
import { useWords } from "../i18n";
import { EmptyState } from "../ui/EmptyState";
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
    ? { type: "person", id: r.person.id, label: r.person.name ?? r.person.display }
    : r.entity && { type: r.entity.type, id: r.entity.id, label: r.entity.key },
});

/** Dated relations to vehicles, dealers, advisors and people. */
export function RelationTable({ relations }: { relations: Relation[] }) {
  const { t, title } = useWords();
  const types = useCatalogue().data?.entity_types ?? [];
  if (relations.length === 0) return <EmptyState title={t("relation.none")} hint={t("relation.noneHint")} />;
  const kinds = [...new Set(relations.map((r) => r.kind))];
  const grouped = kinds.flatMap((kind) => relations.filter((r) => r.kind === kind));
  const first = new Set(kinds.map((kind) => grouped.findIndex((r) => r.kind === kind)));
  return (
    <ScrollTable<Relation>
      rowKey={(r) => `${r.kind}/${r.with?.id}/${r.since}`}
      dataSource={grouped}
      columns={[
        { title: t("relation.kind"), key: "kind", render: (_, r, index) => first.has(index) && <Typography.Text strong>{title(r.title, r.kind)}</Typography.Text> },
        {
          title: t("relation.with"),
          key: "with",
          render: (_, r) => {
            if (!r.with) return "–";
            const person = r.with.type === "person";
            return (
              <>
                <Tag variant="filled">{person ? t("event.person") : title(types.find((e) => e.name === r.with!.type)?.title, r.with.type)}</Tag>
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
  );
}
