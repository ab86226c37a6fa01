import type { TableColumnsType } from "antd";
import { Typography } from "antd";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { PersonSummary } from "../api/types";
import { useWords } from "../i18n";
import { short } from "../ui/format";
import { QueryTable, type Paged } from "../ui/QueryTable";
import { Time } from "../ui/Time";

/** Pages of people; each row opens its 360 page. */
export function PersonTable({ query, empty }: { query: Paged<PersonSummary>; empty: ReactNode }) {
  const { t } = useWords();
  const columns: TableColumnsType<PersonSummary> = [
    {
      title: t("person.name"),
      key: "name",
      render: (_, p) => <Link to={`/persons/${p.id}`}>{p.name || short(p.display) || t("person.anonymous")}</Link>,
    },
    {
      title: t("person.number"),
      dataIndex: "number",
      render: (n: number) => <Typography.Text type="secondary" className="cl-mono">#{n}</Typography.Text>,
    },
    { title: t("person.firstSeen"), dataIndex: "first_seen_at", render: (at: string) => <Time at={at} /> },
    { title: t("person.mobile"), dataIndex: "mobile", render: (value: string | null) => <span className="cl-mono">{value ?? "–"}</span> },
    { title: t("person.city"), dataIndex: "city", render: (value: string | null) => value ?? "–" },
  ];
  return <QueryTable query={query} columns={columns} rowKey={(p) => p.id} empty={empty} label={t("nav.persons")} />;
}
