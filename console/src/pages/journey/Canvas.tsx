import { PlusOutlined } from "@ant-design/icons";
import { Background, BaseEdge, Controls, EdgeLabelRenderer, Handle, Position, ReactFlow, getSmoothStepPath, type Edge as FlowEdge, type EdgeProps, type Node as FlowNode, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { Button, Dropdown, theme } from "antd";
import { createContext, useContext, useMemo } from "react";
import { useWords, type Key } from "../../i18n";
import { useTheme } from "../../shell/theme";
import { useDescribe } from "./describe";
import { INSERTABLE, layout, type Edge, type Graph, type Insertable, type Node } from "./graph";

type Props = {
  graph: Graph;
  chosen: string | null;
  editable: boolean;
  onChoose: (id: string) => void;
  onInsert: (on: Edge, kind: Insertable) => void;
};

const Editing = createContext<Pick<Props, "editable" | "onInsert">>({ editable: false, onInsert: () => undefined });
const COLOURS: Record<Node["kind"], string> = {
  entry_segment: "#1750c4", wait: "#8a5a00", send: "#0b7a53", condition: "#7b3fb5", split: "#a8327d", exit: "#5f6672",
};

type StepNode = FlowNode<{ node: Node }, "step">;
type StepEdge = FlowEdge<{ edge: Edge; share: number | null }, "step">;

/** What a branch is called; `share` is that of a split's first way, in percent. */
function branchName({ port }: Edge, share: number | null, t: (key: Key) => string): string {
  if (share !== null) return `${Number((port === "a" ? share : 100 - share).toFixed(4))} %`;
  return port === "yes" ? t("node.yes") : port === "no" ? t("node.no") : "";
}

function StepCard({ data, selected }: NodeProps<StepNode>) {
  const { token } = theme.useToken();
  const { title, detail, complete } = useDescribe(data.node);
  const rim = `1px solid ${selected ? token.colorPrimary : token.colorBorder}`;
  return (
    <div
      style={{
        width: 200, padding: "8px 12px", borderRadius: 8, background: token.colorBgContainer, color: token.colorText,
        borderBlock: rim, borderInlineEnd: rim, borderInlineStart: `4px solid ${COLOURS[data.node.kind]}`, minHeight: 42,
        boxShadow: selected ? `0 0 0 2px ${token.colorPrimaryBorder}` : token.boxShadowTertiary,
      }}
    >
      {data.node.kind !== "entry_segment" && <Handle type="target" position={Position.Top} isConnectable={false} />}
      <div style={{ fontWeight: 600 }}>{title}</div>
      <div style={{ fontSize: 12, color: complete ? token.colorTextSecondary : token.colorError, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
        {detail}
      </div>
      {data.node.kind !== "exit" && <Handle type="source" position={Position.Bottom} isConnectable={false} />}
    </div>
  );
}

function StepLine({ id, sourceX, sourceY, targetX, targetY, data, markerEnd }: EdgeProps<StepEdge>) {
  const { t } = useWords();
  const { token } = theme.useToken();
  const { editable, onInsert } = useContext(Editing);
  const [path, x, y] = getSmoothStepPath({ sourceX, sourceY, targetX, targetY, sourcePosition: Position.Bottom, targetPosition: Position.Top });
  const { edge, share } = data!;
  const branch = branchName(edge, share, t);
  return (
    <>
      <BaseEdge id={id} path={path} markerEnd={markerEnd} />
      <EdgeLabelRenderer>
        <div
          className="nodrag nopan"
          style={{ position: "absolute", transform: `translate(-50%, -50%) translate(${x}px, ${y}px)`, pointerEvents: "all", display: "flex", alignItems: "center", gap: 4 }}
        >
          {branch && <span style={{ background: token.colorBgLayout, color: token.colorText, fontSize: 12, padding: "0 4px", borderRadius: 4 }}>{branch}</span>}
          {editable && (
            <Dropdown
              trigger={["click"]}
              menu={{
                items: INSERTABLE.map((kind) => ({ key: kind, label: t(`node.${kind}`) })),
                onClick: ({ key }) => onInsert(edge, key as Insertable),
              }}
            >
              <Button size="small" shape="circle" icon={<PlusOutlined />} aria-label={t("node.insert")} />
            </Dropdown>
          )}
        </div>
      </EdgeLabelRenderer>
    </>
  );
}

const nodeTypes = { step: StepCard };
const edgeTypes = { step: StepLine };

/** The journey drawn top to bottom; nodes are placed by the graph, never by hand. */
export default function Canvas({ graph, chosen, editable, onChoose, onInsert }: Props) {
  const { t } = useWords();
  const { dark } = useTheme();
  const nodes = useMemo<StepNode[]>(() => {
    const places = layout(graph);
    return graph.nodes.map((node) => {
      const place = places.get(node.id) ?? { column: 0, row: 0 };
      return {
        id: node.id,
        type: "step",
        position: { x: place.row * 250, y: place.column * 112 },
        data: { node },
        selected: node.id === chosen,
        ariaRole: "button",
      };
    });
  }, [graph, chosen]);
  const edges = useMemo<StepEdge[]>(() => {
    const shares = new Map(graph.nodes.map((node) => [node.id, node.kind === "split" ? node.percent : null]));
    return graph.edges.map((edge) => ({
      id: `${edge.from}/${edge.port}`, source: edge.from, target: edge.to, type: "step", data: { edge, share: shares.get(edge.from) ?? null },
    }));
  }, [graph]);
  const editing = useMemo(() => ({ editable, onInsert }), [editable, onInsert]);
  return (
    <Editing.Provider value={editing}>
      <div style={{ height: 600 }} role="region" aria-label={t("journey.canvas")}>
        <ReactFlow
          key={graph.nodes.length}
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          colorMode={dark ? "dark" : "light"}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          fitView
          fitViewOptions={{ maxZoom: 1, padding: 0.15 }}
          proOptions={{ hideAttribution: true }}
          ariaLabelConfig={{
            "controls.zoomIn.ariaLabel": t("canvas.in"),
            "controls.zoomOut.ariaLabel": t("canvas.out"),
            "controls.fitView.ariaLabel": t("canvas.fit"),
          }}
          onNodeClick={(_, node) => onChoose(node.id)}
          onNodesChange={(changes) => {
            for (const change of changes) if (change.type === "select" && change.selected) onChoose(change.id);
          }}
        >
          <Background />
          <Controls showInteractive={false} />
        </ReactFlow>
      </div>
    </Editing.Provider>
  );
}
