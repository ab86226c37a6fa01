import { Tag } from "antd";
import { useWords } from "../../i18n";
import { useEventWords } from "../../people/event";
import { short } from "../../ui/format";
import { ScrollTable } from "../../ui/ScrollTable";
import { Time } from "../../ui/Time";
import type { GraphEdge, IdentifierValue } from "./queries";

/** Ties between identifiers: what kind, whether they hold, since when, by which source. */
export function EdgeTable({ edges, nodes }: { edges: GraphEdge[]; nodes: IdentifierValue[] }) {
  const { t, title, tx } = useWords();
  const { source } = useEventWords();
  const node = (number: number) => {
    const found = nodes.find((n) => n.number === number);
    return found ? `${title(found.title, found.type)} ${short(found.value)}` : `#${number}`;
  };
  const refusal = (reason: string) => tx(`refusal.${reason.split(":")[0]}`, reason || t("graph.no"));
  return (
    <ScrollTable<GraphEdge>
      rowKey={(e) => `${e.a}-${e.b}-${e.kind}`}
      dataSource={edges}
      pagination={edges.length > 20 ? { pageSize: 20 } : false}
      columns={[
        { title: t("graph.between"), key: "ab", render: (_, e) => <span className="cl-mono" style={{ display: "block", minWidth: 190 }}>{node(e.a)}<br />{node(e.b)}</span> },
        { title: t("graph.evidence"), key: "kind", render: (_, e) => tx(`evidence.${e.kind}`, e.kind) },
        {
          title: t("graph.accepted"),
          key: "ok",
          render: (_, e) => (
            <Tag color={e.accepted ? "success" : "error"} variant="outlined">{e.accepted ? t("graph.yes") : refusal(e.reason)}</Tag>
          ),
        },
        { title: t("event.occurredAt"), key: "at", render: (_, e) => <Time at={e.occurred_at} /> },
        { title: t("event.source"), key: "source", render: (_, e) => (e.source ? source(e.source) : "–") },
      ]}
    />
  );
}
