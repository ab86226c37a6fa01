import { describe, expect, it } from "vitest";
import { places } from "./places";
import type { Graph } from "./queries";

const star = (n: number) =>
  ({
    nodes: Array.from({ length: n }, (_, number) => ({ number })),
    edges: Array.from({ length: n - 1 }, (_, at) => ({ a: 0, b: at + 1 })),
  }) as unknown as Graph;

const apart = (graph: Graph) => {
  const spots = [...places(graph, 1.5).values()];
  return spots.flatMap((a, at) => spots.slice(at + 1).map((b) => Math.hypot(a.x - b.x, a.y - b.y)));
};

describe("places of an identity graph", () => {
  it("keeps every node within the space", () => {
    for (const { x, y } of places(star(40), 1.5).values()) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(1.5);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(1);
    }
  });

  it("draws no two nodes on one spot", () => {
    expect(Math.min(...apart(star(15)))).toBeGreaterThan(0.08);
  });

  it("draws tied nodes nearer than strangers", () => {
    const two = { nodes: [0, 1, 2, 3].map((number) => ({ number })), edges: [{ a: 0, b: 2 }, { a: 1, b: 3 }] };
    const spot = places(two as unknown as Graph, 1);
    const between = (a: number, b: number) => Math.hypot(spot.get(a)!.x - spot.get(b)!.x, spot.get(a)!.y - spot.get(b)!.y);
    expect(between(0, 2)).toBeLessThan(between(0, 1));
    expect(between(1, 3)).toBeLessThan(between(0, 3));
  });
});
