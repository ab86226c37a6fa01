import { parseQuery, touchOf } from "../src/core/campaign";
import { utf8Length, uuid } from "../src/core/ids";
import { Rig } from "./support";

const BOTH = { analytics: "granted", marketing: "granted" } as const;

describe("who", () => {
  it("is repeated by later events, except what is personal", async () => {
    const rig = new Rig();
    const core = rig.core();
    core.identify({ login_id: "m-1", mobile: "13905712846" }, { name: "王芳" });
    core.track("after");
    await core.flush();
    const [identified, after] = rig.wire.taken;
    expect(identified!.event).toBe("$identify");
    expect(identified!.identifiers).toEqual({
      anonymous_id: "visitor-1",
      login_id: "m-1",
      mobile: "13905712846",
    });
    expect(identified!.profile).toEqual({ set: { name: "王芳" } });
    expect(after!.identifiers).toEqual({ anonymous_id: "visitor-1", login_id: "m-1" });
    expect([...rig.store.values.values()].join()).not.toContain("13905712846");
  });

  it("is known on the next page, and not after a reset", async () => {
    const rig = new Rig();
    rig.core().identify("m-1");
    const next = rig.core();
    next.track("a");
    next.reset();
    next.track("b");
    await next.flush();
    const named = rig.wire.taken.map((event) => [event.event, event.identifiers]);
    expect(named).toContainEqual(["a", { anonymous_id: "visitor-1", login_id: "m-1" }]);
    expect(named).toContainEqual(["b", { anonymous_id: "visitor-2" }]);
  });

  it("another person on the same device is another visitor", async () => {
    const rig = new Rig();
    const core = rig.core();
    core.identify("m-1");
    core.identify("m-2");
    await core.flush();
    expect(rig.wire.taken.map((event) => event.identifiers)).toEqual([
      { anonymous_id: "visitor-1", login_id: "m-1" },
      { anonymous_id: "visitor-2", login_id: "m-2" },
    ]);
  });

  it("takes the parts of a profile as they are", async () => {
    const rig = new Rig();
    const core = rig.core();
    core.identify("m-1", { set_once: { source: "web" }, increment: { visits: 1 } });
    await core.flush();
    expect(rig.wire.taken[0]!.profile).toEqual({
      set_once: { source: "web" },
      increment: { visits: 1 },
    });
  });

  it("deals with things and has relations to them", async () => {
    const rig = new Rig();
    const core = rig.core();
    core.entity("dealer", "D001", { city: "上海" });
    core.relate("drives", "vehicle", "LSVAA4182E2184847", { ended: true });
    await core.flush();
    const [dealer, vehicle] = rig.wire.taken;
    expect([dealer!.event, dealer!.entities]).toEqual(["$entity", { dealer: "D001" }]);
    expect(vehicle!.entities).toEqual({ vehicle: "LSVAA4182E2184847" });
    expect(vehicle!.properties).toMatchObject({ relation: "drives", ended: true });
  });
});

describe("where from", () => {
  it("first and last touch; click ids only with consent to marketing", async () => {
    const rig = new Rig();
    const first = rig.core({ consent: BOTH });
    first.arrive("?utm_source=douyin&utm_campaign=c5&clickid=k1");
    first.track("a");
    await first.flush();
    rig.time += 86_400_000;
    const second = rig.core({ consent: BOTH });
    second.arrive("?utm_source=baidu&bd_vid=v1");
    second.track("b");
    await second.flush();
    rig.time += 86_400_000;
    const third = rig.core({ consent: { analytics: "granted" } });
    third.arrive("");
    third.track("c");
    await third.flush();
    const [a, b, c] = rig.wire.taken.map((event) => event.properties);
    expect(a).toMatchObject({ utm_source: "douyin", clickid: "k1", first_utm_campaign: "c5" });
    expect(b).toMatchObject({ utm_source: "baidu", bd_vid: "v1", first_clickid: "k1" });
    expect(b!["utm_campaign"]).toBeUndefined();
    expect(c).toMatchObject({ utm_source: "baidu", first_utm_source: "douyin" });
    expect(c!["bd_vid"] ?? c!["first_clickid"]).toBeUndefined();
  });

  it("consent given later still tells of the arrival", async () => {
    const rig = new Rig();
    const core = rig.core({ consent: {} });
    core.arrive("?utm_source=douyin&clickid=k1");
    core.consent({ analytics: "granted" });
    core.consent({ marketing: "granted" });
    const next = rig.core({ consent: {} });
    next.arrive("");
    next.track("later");
    await next.flush();
    const later = rig.wire.taken.find((event) => event.event === "later")!;
    expect(later.properties).toMatchObject({ utm_source: "douyin", clickid: "k1", first_clickid: "k1" });
  });

  it("reads queries as browsers do, broken ones too", () => {
    const query = "?a=1+2&b=%E8%BD%A6&c=%ZZ&d=x=y&a=3&e&=f";
    expect(parseQuery(query)).toEqual({ a: "1 2", b: "车", c: "%ZZ", d: "x=y" });
    const kept = [...new URLSearchParams("?a=1+2&b=%E8%BD%A6&d=x=y")];
    for (const [name, value] of kept) expect(parseQuery(query)[name]).toBe(value);
    expect(touchOf({ page: "2" }, [])).toBeNull();
    expect(touchOf({ xhs_click: "7" }, ["xhs_click"])!.clicks).toEqual({ xhs_click: "7" });
  });
});

describe("small parts", () => {
  it("ids are UUIDs of version 4 and differ", () => {
    const ids = Array.from({ length: 100 }, uuid);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) {
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    }
  });

  it.each(["", "abc", "é", "车系", "🚗x", "a\u07ff\u0800"])("counts bytes as the wire does: %s", (text) => {
    expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
  });
});
