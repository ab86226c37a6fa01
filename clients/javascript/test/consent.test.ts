import { Rig } from "./support";

describe("before consent", () => {
  it("sends nothing, stores nothing, asks for no id", async () => {
    const rig = new Rig();
    const core = rig.core({ consent: {} });
    core.arrive("?utm_source=baidu&gclid=abc");
    core.track("page_viewed");
    core.identify("m-1", { name: "王芳" });
    core.reset();
    await core.flush();
    core.leave();
    expect(rig.wire.bodies).toEqual([]);
    expect(rig.store.values.size).toBe(0);
    expect(rig.visitor.asked).toBe(0);
  });

  it("holds events and sends them, in order and with their times, once it is given", async () => {
    const rig = new Rig();
    const core = rig.core({ consent: {} });
    core.track("first");
    const happened = rig.time;
    rig.time += 60_000;
    core.consent({ analytics: "granted" }, { version: "2026-11" });
    await core.flush();
    expect(rig.names()).toEqual(["consent_given", "first"]);
    const first = rig.wire.taken[1]!;
    expect(first.occurred_at).toBe(happened);
    expect(first.properties["consent_version"]).toBe("2026-11");
    expect(first.properties["consent_purposes"]).toEqual(["analytics"]);
  });

  it("forgets what it held when the answer is no", async () => {
    const rig = new Rig();
    const core = rig.core({ consent: {} });
    core.track("first");
    core.consent({ analytics: "denied", marketing: "denied" });
    core.consent({ analytics: "granted" });
    await core.flush();
    expect(rig.names()).toEqual(["consent_given"]);
  });

  it("keeps nothing at all where the site says drop", async () => {
    const rig = new Rig();
    const core = rig.core({ consent: {}, whileUnknown: "drop" });
    core.track("first");
    expect(core.pending()).toBe(0);
    core.consent({ analytics: "granted" });
    await core.flush();
    expect(rig.names()).toEqual(["consent_given"]);
  });
});

describe("with consent", () => {
  it("asks for each purpose by itself", async () => {
    const rig = new Rig();
    const core = rig.core({ consent: { analytics: "granted", marketing: "denied" } });
    core.track("seen");
    core.track("retargeted", {}, { purpose: "marketing" });
    core.track("personal", {}, { purpose: "personalisation" });
    await core.flush();
    expect(rig.names()).toEqual(["seen"]);
    core.consent({ personalisation: "granted" });
    await core.flush();
    expect(rig.names()).toEqual(["seen", "consent_given", "personal"]);
  });

  it("is remembered on the next page, and a no is not", () => {
    const rig = new Rig();
    rig.core({ consent: {} }).consent({ analytics: "granted", marketing: "denied" });
    const next = rig.core({ consent: {} });
    expect(next.consents()).toEqual({ analytics: "granted", marketing: "unknown" });
  });

  it("withdrawal empties the queue and the device", async () => {
    const rig = new Rig();
    const core = rig.core();
    core.arrive("?utm_source=baidu");
    core.identify("m-1");
    core.track("seen");
    expect(rig.store.values.size).toBeGreaterThan(0);
    core.consent({ analytics: "denied" });
    await core.flush();
    core.track("later");
    await core.flush();
    expect(rig.wire.bodies).toEqual([]);
    expect(rig.store.values.size).toBe(0);
    expect(core.pending()).toBe(0);
  });

  it("withdrawal of one purpose leaves the events of the other", async () => {
    const rig = new Rig();
    const core = rig.core({ consent: { analytics: "granted", marketing: "granted" } });
    core.arrive("?utm_source=baidu&bd_vid=v1");
    core.track("seen");
    core.track("retargeted", {}, { purpose: "marketing" });
    core.consent({ marketing: "denied" });
    core.track("after");
    await core.flush();
    expect(rig.names()).toEqual(["seen", "after"]);
    expect(rig.wire.taken[1]!.properties["utm_source"]).toBe("baidu");
    expect(rig.wire.taken[1]!.properties["bd_vid"]).toBeUndefined();
    expect([...rig.store.values.values()].join()).not.toContain("v1");
  });

  it("a browser that refuses tracking cannot be talked round", async () => {
    const rig = new Rig();
    const core = rig.core({}, true);
    core.consent({ analytics: "granted" });
    core.track("seen");
    await core.flush();
    expect(rig.wire.bodies).toEqual([]);
    expect(rig.store.values.size).toBe(0);
    expect(core.consents()["analytics"]).toBe("denied");
  });

  it("follows what another page of the site recorded", async () => {
    const rig = new Rig();
    const [here, there] = [rig.core({ consent: {} }), rig.core({ consent: {} })];
    here.track("held");
    there.consent({ analytics: "granted" });
    here.follow(rig.store.get("carloop.consent"));
    await here.flush();
    expect(rig.names()).toContain("held");
    here.follow(null);
    here.track("after");
    await here.flush();
    expect(rig.names()).not.toContain("after");
  });
});
