import { describe, expect, it } from "vitest";
import { insert, layout, newGraph, remove, whole, type Graph } from "./graph";

const reach = (graph: Graph, from: string, port = "next") =>
  graph.edges.find((edge) => edge.from === from && edge.port === port)?.to;

describe("journey graph", () => {
  it("starts as entry, send, exit", () => {
    const graph = newGraph("s1");
    expect(graph.nodes.map((node) => node.kind)).toEqual(["entry_segment", "send", "exit"]);
    expect(reach(graph, "entry")).toBe("send_1");
  });

  it("puts a wait on an edge and takes it out again", () => {
    const start = newGraph();
    const { graph, id } = insert(start, { from: "entry", to: "send_1", port: "next" }, "wait");
    expect(reach(graph, "entry")).toBe(id);
    expect(reach(graph, id)).toBe("send_1");
    expect(remove(graph, id)).toEqual(start);
  });

  it("gives a condition an exit of its own and prunes it on removal", () => {
    const start = newGraph();
    const { graph, id } = insert(start, { from: "entry", to: "send_1", port: "next" }, "condition");
    expect(reach(graph, id, "yes")).toBe("send_1");
    expect(graph.nodes.find((node) => node.id === reach(graph, id, "no"))?.kind).toBe("exit");
    expect(remove(graph, id).nodes.map((node) => node.id)).toEqual(start.nodes.map((node) => node.id));
  });

  it("splits into two ways, and goes on by the first when it is taken out", () => {
    const start = newGraph();
    const { graph, id } = insert(start, { from: "entry", to: "send_1", port: "next" }, "split");
    expect(reach(graph, id, "a")).toBe("send_1");
    expect(graph.nodes.find((node) => node.id === reach(graph, id, "b"))).toMatchObject({ kind: "exit", reason: "not_chosen" });
    expect(remove(graph, id)).toEqual(start);
  });

  it("never removes the entry or an exit", () => {
    const graph = newGraph();
    expect(remove(graph, "entry")).toBe(graph);
    expect(remove(graph, "exit_1")).toBe(graph);
  });

  it("places every node once, branches side by side", () => {
    const { graph, id } = insert(newGraph(), { from: "entry", to: "send_1", port: "next" }, "condition");
    const places = layout(graph);
    expect(places.size).toBe(graph.nodes.length);
    expect(new Set([...places.values()].map((p) => `${p.column}/${p.row}`)).size).toBe(graph.nodes.length);
    expect(places.get(reach(graph, id, "no")!)?.row).toBe(1);
  });

  it("fills in what a stored draft leaves out", () => {
    expect(whole({}).entry).toBe("entry");
    expect(whole({ entry: "e", nodes: [{ id: "e", kind: "exit", reason: "x" }] }).period).toBeNull();
  });
});
