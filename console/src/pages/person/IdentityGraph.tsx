import { Flex, Typography } from "antd";
import { useMemo } from "react";
import { useWords } from "../../i18n";
import { Chart, useBase, usePalette } from "../../ui/chart";
import { EmptyState } from "../../ui/EmptyState";
import { short } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { EdgeTable } from "./EdgeTable";
import { Explain } from "./Explain";
import { places } from "./places";
import { useGraph, type Graph, type Person } from "./queries";

/** The drawing space's width over its height, about. */
const WIDE = 1.4;
/** Its height, about, in pixels: the unit in which ties end at the rim of a node. */
const SIZE = 350;

function useOption(graph: Graph) {
  const { title } = useWords();
  const base = useBase();
  const palette = usePalette();
  return useMemo(() => {
    const kinds = [...new Set(graph.nodes.map((n) => n.type))];
    const spots = places(graph, WIDE);
    const name = (number: number) => graph.nodes.find((n) => n.number === number)?.value ?? String(number);
    return {
      color: base.color,
      textStyle: base.textStyle,
      tooltip: { ...base.tooltip, trigger: "item" },
      legend: {
        data: kinds.map((kind) => title(graph.nodes.find((n) => n.type === kind)?.title, kind)),
        textStyle: { color: palette.text },
        bottom: 0,
        icon: "circle",
        itemWidth: 10,
        itemHeight: 10,
      },
      series: [
        {
          type: "graph",
          layout: "none",
          left: 60,
          right: 60,
          top: 24,
          bottom: 84,
          preserveAspect: "contain",
          roam: true,
          scaleLimit: { min: 0.4, max: 3 },
          draggable: true,
          categories: kinds.map((kind) => ({ name: title(graph.nodes.find((n) => n.type === kind)?.title, kind) })),
          label: { show: true, position: "bottom", color: palette.strong, fontSize: 11, formatter: ({ name }: { name: string }) => short(name) },
          data: graph.nodes.map((n) => ({
            id: String(n.number),
            name: n.value,
            category: kinds.indexOf(n.type),
            symbolSize: graph.nodes.length > 24 ? 18 : 26,
            x: spots.get(n.number)!.x * SIZE,
            y: spots.get(n.number)!.y * SIZE,
            tooltip: { formatter: `${title(n.title, n.type)} · ${n.value}` },
          })),
          links: graph.edges.map((e) => ({
            source: String(e.a),
            target: String(e.b),
            lineStyle: {
              type: e.accepted ? "solid" : "dashed",
              color: e.accepted ? palette.series[0] : "#c92a2a",
              width: e.kind === "link" ? 3 : 1.6,
              opacity: 0.8,
            },
            tooltip: { formatter: `${name(e.a)} – ${name(e.b)}` },
          })),
        },
      ],
    };
  }, [graph, base, palette, title]);
}

function Drawn({ graph }: { graph: Graph }) {
  const { t } = useWords();
  const option = useOption(graph);
  if (graph.nodes.length < 2) return <EmptyState title={t("graph.single")} hint={t("graph.singleHint")} />;
  return (
    <Flex vertical gap={12}>
      <Typography.Text type="secondary">{t("graph.hint")}</Typography.Text>
      <Chart option={option} height={460} label={t("graph.label", { nodes: graph.nodes.length, edges: graph.edges.length })} />
      <EdgeTable edges={graph.edges} nodes={graph.nodes} />
      <Explain />
    </Flex>
  );
}

/** Which identifiers are one person, and the evidence for each tie. */
export function IdentityGraph({ person }: { person: Person }) {
  const query = useGraph(person.id);
  return <Loaded query={query}>{(graph) => <Drawn graph={graph} />}</Loaded>;
}
