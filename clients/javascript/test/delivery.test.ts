import { waitMs } from "../src/core/sender";
import type { Lost } from "../src/types";
import { Rig, type Sent } from "./support";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("delivery", () => {
  it("repeats an unanswered batch under the same ids, and forgets an acknowledged one", async () => {
    const rig = new Rig();
    rig.wire.answers = [{ status: 0 }];
    const core = rig.core();
    core.track("a");
    core.track("b");
    await core.flush();
    expect(core.pending()).toBe(2);
    rig.time += 2_000;
    await core.flush();
    expect(core.pending()).toBe(0);
    const [first, second] = rig.wire.bodies.map((sent) => sent.events.map((e) => e.message_id));
    expect(second).toEqual(first);
    expect(new Set(first).size).toBe(2);
  });

  it("survives the page: the next one sends what the last could not", async () => {
    const rig = new Rig();
    rig.wire.up = false;
    rig.core().track("offline");
    rig.wire.up = true;
    const next = rig.core();
    await next.flush();
    expect(rig.names()).toEqual(["offline"]);
  });

  it("says when it sent, so that a wrong clock can be corrected", async () => {
    const rig = new Rig();
    const core = rig.core();
    core.track("a");
    rig.time += 5_000;
    await core.flush();
    expect(rig.wire.bodies[0]!.sent_at - rig.wire.bodies[0]!.events[0]!.occurred_at).toBe(5_000);
  });

  it("comes back when the server asks for it, not before", async () => {
    const rig = new Rig();
    rig.wire.answers = [{ status: 503, retryAfter: "120" }];
    const core = rig.core();
    core.track("a");
    await core.flush();
    rig.time += 119_000;
    await core.flush();
    expect(rig.wire.bodies.length).toBe(1);
    rig.time += 1_500;
    await core.flush();
    expect(rig.names()).toEqual(["a"]);
  });

  it("tries again by itself", async () => {
    const rig = new Rig();
    rig.wire.answers = [{ status: 503 }];
    const core = rig.core({ batchSize: 1 });
    core.track("a");
    await vi.advanceTimersByTimeAsync(0);
    expect(core.pending()).toBe(1);
    rig.time += 1_000;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(core.pending()).toBe(0);
  });

  it("finds the one event that spoils a batch; its neighbours arrive", async () => {
    const rig = new Rig();
    const lost: Lost[] = [];
    const spoilt = (sent: Sent) => ({
      status: sent.events.some((event) => event.event === "bad") ? 400 : 200,
    });
    rig.wire.answers = Array.from({ length: 20 }, () => spoilt);
    const core = rig.core({ onLost: (one) => lost.push(one), batchSize: 99 });
    for (const name of ["a", "b", "bad", "c", "d"]) core.track(name);
    await core.flush();
    expect(rig.names()).toEqual(["a", "b", "c", "d"]);
    expect(lost.map(({ event, reason, code }) => [event.event, reason, code])).toEqual([
      ["bad", "refused", "400"],
    ]);
    expect(core.pending()).toBe(0);
  });

  it("tells of what the server rejected", async () => {
    const rig = new Rig();
    const lost: Lost[] = [];
    const rejected = [{ index: 1, code: "too_deep", path: "properties" }];
    rig.wire.answers = [{ status: 200, body: JSON.stringify({ accepted: 1, rejected }) }];
    const core = rig.core({ onLost: (one) => lost.push(one) });
    core.track("a");
    core.track("b");
    await core.flush();
    expect(lost.map(({ event, code, path }) => [event.event, code, path])).toEqual([
      ["b", "too_deep", "properties"],
    ]);
  });

  it("stops at a refused key and keeps the events for a better one", async () => {
    const rig = new Rig();
    rig.wire.answers = [{ status: 401 }];
    const core = rig.core();
    core.track("a");
    await core.flush();
    await core.flush();
    expect(rig.wire.bodies.length).toBe(1);
    expect(core.pending()).toBe(1);
  });

  it("does not repeat an unclear event past the time the server knows it again", async () => {
    const rig = new Rig();
    const lost: Lost[] = [];
    rig.wire.answers = [{ status: 0 }];
    const core = rig.core({ onLost: (one) => lost.push(one) });
    core.track("a");
    await core.flush();
    rig.time += 6 * 86_400_000 + 1;
    core.track("b");
    await core.flush();
    expect(rig.names()).toEqual(["b"]);
    expect(lost.map((one) => [one.event.event, one.reason])).toEqual([["a", "expired"]]);
  });

  it("an event that was never sent waits for as long as it takes", async () => {
    const rig = new Rig();
    rig.wire.up = false;
    const core = rig.core();
    core.track("a");
    await core.flush();
    rig.time += 30 * 86_400_000;
    rig.wire.up = true;
    core.online();
    await vi.advanceTimersByTimeAsync(0);
    expect(rig.names()).toEqual(["a"]);
  });

  it("a full queue drops the oldest, tells so, and says how many", async () => {
    const rig = new Rig();
    const lost: Lost[] = [];
    rig.wire.up = false;
    const core = rig.core({ queueSize: 3, onLost: (one) => lost.push(one) });
    for (const name of ["a", "b", "c", "d"]) core.track(name);
    core.track("e");
    rig.wire.up = true;
    await core.flush();
    expect(lost.map((one) => one.event.event)).toEqual(["a", "b"]);
    expect(rig.names()).toEqual(["c", "d", "e"]);
    expect(rig.wire.taken[2]!.properties["client_dropped"]).toBe(1);
  });

  it("works from memory where nothing can be stored", async () => {
    const rig = new Rig();
    rig.store.broken = true;
    const core = rig.core();
    core.track("a");
    await core.flush();
    expect(rig.names()).toEqual(["a"]);
    expect(core.pending()).toBe(0);
  });

  it("a page that leaves sends at once, and its events stay until they are acknowledged", async () => {
    const rig = new Rig();
    rig.wire.answers = [{ status: 0 }];
    const core = rig.core();
    core.track("last");
    core.leave();
    expect(rig.wire.bodies.length).toBe(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(core.pending()).toBe(1);
    rig.time += 5_000;
    await rig.core().flush();
    expect(rig.wire.bodies[1]!.events[0]!.message_id).toBe(
      rig.wire.bodies[0]!.events[0]!.message_id,
    );
  });

  it("bodies stay within what outlives a page; a larger event travels alone", async () => {
    const rig = new Rig();
    const core = rig.core({ batchSize: 999 });
    for (let i = 0; i < 30; i++) core.track("a", { text: "车".repeat(1_000) });
    core.track("large", { text: "x".repeat(100_000) });
    core.track("z");
    await core.flush();
    expect(rig.names().length).toBe(32);
    const sizes = rig.wire.bodies.map((sent) => new TextEncoder().encode(JSON.stringify(sent)).length);
    expect(sizes.filter((size) => size > 31_000).length).toBe(1);
  });

  it("refuses an event the server would not take", async () => {
    const rig = new Rig();
    const lost: Lost[] = [];
    const core = rig.core({ onLost: (one) => lost.push(one) });
    core.track("huge", { text: "x".repeat(300_000) });
    await core.flush();
    expect(lost.map((one) => one.reason)).toEqual(["too_large"]);
    expect(rig.wire.bodies).toEqual([]);
  });
});

describe("how long to wait", () => {
  const now = Date.UTC(2026, 10, 22, 8);

  it.each([
    ["7", 7_000],
    ["Sun, 22 Nov 2026 08:01:00 GMT", 60_000],
    ["999999", 3_600_000],
  ])("Retry-After: %s", (asked, ms) => {
    expect(waitMs(1, asked, now)).toBe(ms);
  });

  it.each([undefined, null, "", "soon", "Sun, 22 Nov 2026 07:00:00 GMT"])("else doubles: %s", (asked) => {
    for (const [failures, most] of [[1, 1_000], [2, 2_000], [5, 16_000], [99, 300_000]] as const) {
      const wait = waitMs(failures, asked, now);
      expect(wait).toBeGreaterThanOrEqual(most / 2);
      expect(wait).toBeLessThanOrEqual(most);
    }
  });
});
