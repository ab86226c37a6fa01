/** A journey's graph as the API writes it, and the edits the canvas offers. */
import type { Rule } from "../../rules/model";

export type Text = { text: string; subject: string; html: string };
export type EntryNode = {
  id: string;
  kind: "entry_segment";
  segment: string;
  reentry: "once" | "daily" | "every_time";
  audience: "new" | "all";
};
export type WaitNode = { id: string; kind: "wait"; days: number; hours: number; minutes: number };
export type SendNode = {
  id: string;
  kind: "send";
  channel: string;
  template: Partial<Record<"zh" | "en", Text>>;
  purpose: string;
  ttl_hours: number;
};
export type ConditionNode = { id: string; kind: "condition"; rule: Rule };
export type SplitNode = { id: string; kind: "split"; percent: number; salt: string };
export type ExitNode = { id: string; kind: "exit"; reason: string };
export type Node = EntryNode | WaitNode | SendNode | ConditionNode | SplitNode | ExitNode;
export type Edge = { from: string; to: string; port: string };
export type Graph = {
  entry: string;
  nodes: Node[];
  edges: Edge[];
  goal: string;
  period: { from: string; to: string | null } | null;
};

export const INSERTABLE = ["wait", "condition", "split", "send"] as const;
export type Insertable = (typeof INSERTABLE)[number];

/** The ports of nodes that branch: the way that leads on, and the way that leads aside. */
export const BRANCHES: Partial<Record<Node["kind"], { on: string; aside: string; reason: string }>> = {
  condition: { on: "yes", aside: "no", reason: "not_matching" },
  split: { on: "a", aside: "b", reason: "not_chosen" },
};

export function newGraph(segment = ""): Graph {
  return {
    entry: "entry",
    nodes: [
      { id: "entry", kind: "entry_segment", segment, reentry: "once", audience: "new" },
      { id: "send_1", kind: "send", channel: "", template: {}, purpose: "marketing", ttl_hours: 24 },
      { id: "exit_1", kind: "exit", reason: "completed" },
    ],
    edges: [
      { from: "entry", to: "send_1", port: "next" },
      { from: "send_1", to: "exit_1", port: "next" },
    ],
    goal: "",
    period: null,
  };
}

/** A stored draft with every part; an empty one starts afresh. */
export function whole(stored: object): Graph {
  const graph = stored as Partial<Graph>;
  return graph.entry && graph.nodes?.length ? { ...newGraph(), ...graph } : newGraph();
}

function freeId(graph: Graph, kind: string): string {
  const taken = new Set(graph.nodes.map((node) => node.id));
  let n = 1;
  while (taken.has(`${kind}_${n}`)) n += 1;
  return `${kind}_${n}`;
}

const START: Record<Insertable, (id: string) => Node> = {
  wait: (id) => ({ id, kind: "wait", days: 1, hours: 0, minutes: 0 }),
  send: (id) => ({ id, kind: "send", channel: "", template: {}, purpose: "marketing", ttl_hours: 24 }),
  condition: (id) => ({ id, kind: "condition", rule: { kind: "everyone" } }),
  split: (id) => ({ id, kind: "split", percent: 50, salt: "" }),
};

/** Put a new node on an edge; where it branches, the way aside goes to an exit of its own. */
export function insert(graph: Graph, on: Edge, kind: Insertable): { graph: Graph; id: string } {
  const id = freeId(graph, kind);
  const nodes = [...graph.nodes, START[kind](id)];
  const edges = graph.edges.map((edge) =>
    edge.from === on.from && edge.port === on.port ? { ...edge, to: id } : edge,
  );
  const branch = BRANCHES[kind];
  edges.push({ from: id, to: on.to, port: branch?.on ?? "next" });
  if (branch) {
    const exit = freeId(graph, "exit");
    nodes.push({ id: exit, kind: "exit", reason: branch.reason });
    edges.push({ from: id, to: exit, port: branch.aside });
  }
  return { graph: { ...graph, nodes, edges }, id };
}

const ASIDE = new Set(Object.values(BRANCHES).map((branch) => branch.aside));

/** Take a node out; what led to it leads on (where it branched, by the way that leads on). */
export function remove(graph: Graph, id: string): Graph {
  const after = graph.edges.find((edge) => edge.from === id && !ASIDE.has(edge.port))?.to;
  if (!after || id === graph.entry) return graph;
  const edges = graph.edges
    .filter((edge) => edge.from !== id)
    .map((edge) => (edge.to === id ? { ...edge, to: after } : edge));
  return prune({ ...graph, nodes: graph.nodes.filter((node) => node.id !== id), edges });
}

function prune(graph: Graph): Graph {
  const seen = new Set<string>();
  const stack = [graph.entry];
  for (let here = stack.pop(); here !== undefined; here = stack.pop()) {
    if (seen.has(here)) continue;
    seen.add(here);
    stack.push(...graph.edges.filter((edge) => edge.from === here).map((edge) => edge.to));
  }
  return {
    ...graph,
    nodes: graph.nodes.filter((node) => seen.has(node.id)),
    edges: graph.edges.filter((edge) => seen.has(edge.from)),
  };
}

export function replace(graph: Graph, node: Node): Graph {
  return { ...graph, nodes: graph.nodes.map((old) => (old.id === node.id ? node : old)) };
}

/** Where each node stands: `column` by the longest way from the entry, `row` by branch. */
export function layout(graph: Graph): Map<string, { column: number; row: number }> {
  const places = new Map<string, { column: number; row: number }>();
  let rows = 0;
  const visit = (id: string, column: number, row: number, path: ReadonlySet<string>) => {
    if (path.has(id)) return;
    const known = places.get(id);
    if (known && known.column >= column) return;
    places.set(id, { column, row: known?.row ?? row });
    const next = graph.edges.filter((edge) => edge.from === id);
    const ordered = [...next].sort((a, b) => Number(ASIDE.has(a.port)) - Number(ASIDE.has(b.port)));
    ordered.forEach((edge, index) => {
      if (index > 0) rows += 1;
      visit(edge.to, column + 1, index > 0 ? rows : row, new Set([...path, id]));
    });
  };
  visit(graph.entry, 0, 0, new Set());
  return places;
}
