import type { Graph } from "./queries";

type Point = { x: number; y: number };
const ROUNDS = 240;
/** How strongly the middle draws all, so that groups without a tie stay near. */
const PULL = 0.25;

/** Where each node of an identity graph is drawn: ties pull together, all else pushes apart.
 *
 * Fruchterman and Reingold, "Graph drawing by force-directed placement" (1991), from a fixed start,
 * so that the same graph is always drawn the same. `wide` is the width of the space over its height.
 */
export function places(graph: Graph, wide: number): Map<number, Point> {
  const numbers = walked(graph);
  const spot = new Map(numbers.map((n, at) => [n, onCircle(at, numbers.length, wide)]));
  const ideal = Math.sqrt(wide / Math.max(1, numbers.length));
  const ties = graph.edges.filter((edge) => spot.has(edge.a) && spot.has(edge.b));
  for (let round = 0; round < ROUNDS; round += 1) {
    const moves = new Map(numbers.map((n) => [n, { x: 0, y: 0 }]));
    const push = (a: number, b: number, force: (distance: number) => number) => {
      const [from, to] = [spot.get(a)!, spot.get(b)!];
      const [dx, dy] = [from.x - to.x, from.y - to.y];
      const distance = Math.max(1e-3, Math.hypot(dx, dy));
      const by = force(distance) / distance;
      shift(moves.get(a)!, dx * by, dy * by);
      shift(moves.get(b)!, -dx * by, -dy * by);
    };
    numbers.forEach((a, at) => numbers.slice(at + 1).forEach((b) => push(a, b, (d) => (ideal * ideal) / d)));
    for (const tie of ties) push(tie.a, tie.b, (d) => -(d * d) / ideal);
    for (const n of numbers) shift(moves.get(n)!, (wide / 2 - spot.get(n)!.x) * PULL, (0.5 - spot.get(n)!.y) * PULL * wide);
    const most = 0.1 * (1 - round / ROUNDS);
    for (const [n, move] of moves) {
      const length = Math.max(1e-9, Math.hypot(move.x, move.y));
      const by = Math.min(length, most) / length;
      const here = spot.get(n)!;
      spot.set(n, { x: here.x + move.x * by, y: here.y + move.y * by });
    }
  }
  return filling(spot, wide);
}

/** The same drawing, stretched to the whole space. */
function filling(spot: Map<number, Point>, wide: number): Map<number, Point> {
  const along = (values: number[], most: number) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (value: number) => (high - low < 1e-6 ? most / 2 : ((value - low) / (high - low)) * most);
  };
  const points = [...spot.values()];
  const x = along(points.map((point) => point.x), wide);
  const y = along(points.map((point) => point.y), 1);
  return new Map([...spot].map(([n, point]) => [n, { x: x(point.x), y: y(point.y) }]));
}

/** The nodes in the order of a walk along the ties, so that tied ones start side by side. */
function walked(graph: Graph): number[] {
  const near = new Map<number, number[]>(graph.nodes.map((node) => [node.number, []]));
  for (const { a, b } of graph.edges) {
    near.get(a)?.push(b);
    near.get(b)?.push(a);
  }
  const seen = new Set<number>();
  const visit = (n: number) => {
    if (seen.has(n) || !near.has(n)) return;
    seen.add(n);
    near.get(n)!.forEach(visit);
  };
  for (const node of graph.nodes) visit(node.number);
  return [...seen];
}

function onCircle(at: number, of: number, wide: number): Point {
  const angle = (2 * Math.PI * at) / Math.max(1, of);
  return { x: (wide * (1 + 0.6 * Math.cos(angle))) / 2, y: (1 + 0.6 * Math.sin(angle)) / 2 };
}

function shift(point: Point, x: number, y: number) {
  point.x += x;
  point.y += y;
}
