import { Tag } from "antd";
import { Link } from "react-router";
import type { Relation } from "../api/types";
import { useCatalogue } from "../api/catalogue";
import { useWords } from "../i18n";
import { EmptyState } from "../ui/EmptyState";
import { Time } from "../ui/Time";
import { ScrollTable } from "../ui/ScrollTable";

/** Dated relations to vehicles, dealers, advisors and people. */
export function RelationTable({ relations }: { relations: Relation[] }) {
  const { t, title } = useWords();
  const types = useCatalogue().data?.entity_types ?? [];
  if (relations.length === 0) return <EmptyState title={t("relation.none")} hint={t("relation.noneHint")} />;
  return (
    <ScrollTable<Relation>
      rowKey={(r) => `${r.kind}/${r.entity?.id ?? r.person?.id}/${r.since}`}
      dataSource={relations}
      columns={[
        { title: t("relation.kind"), key: "kind", render: (_, r) => title(r.title, r.kind) },
        {
          title: t("relation.with"),
          key: "with",
          render: (_, r) =>
            r.entity ? (
              <>
                <Tag variant="filled">{title(types.find((e) => e.name === r.entity!.type)?.title, r.entity.type)}</Tag>
                <Link to={`/entities/${r.entity.type}/${r.entity.id}`} className="cl-mono">{r.entity.title || r.entity.key}</Link>
              </>
            ) : (
              r.person && <Link to={`/persons/${r.person.id}`}>{r.person.display}</Link>
            ),
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
