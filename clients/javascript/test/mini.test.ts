import { arrivalQuery, createMiniTracker, type MiniSettings } from "../src/mini/index";
import type { EventBody } from "../src/types";
import { FakeWeChat } from "./wx.mjs";

let taken: EventBody[];
let status: number;
let time: number;
let world: FakeWeChat;

beforeEach(() => {
  taken = [];
  status = 200;
  time = 1_795_000_000_000;
  world = new FakeWeChat(async ({ data }) => {
    if (status === 200) taken.push(...(JSON.parse(data) as { events: EventBody[] }).events);
    return { status, body: '{"accepted": 1, "rejected": []}' };
  });
});

const start = (more: Partial<MiniSettings> = {}) =>
  createMiniTracker({
    server: "https://cdp.example/",
    writeKey: "wk_1",
    wx: world.wx,
    consent: { analytics: "granted" },
    flushAfterMs: 1_000_000,
    now: () => time,
    ...more,
  });

const of = (name: string) => taken.filter((event) => event.event === name);

describe("a mini-program", () => {
  it("sends and stores nothing before consent", async () => {
    const tracker = start({ consent: {} });
    world.App(tracker.app({}));
    world.Page(tracker.page({}));
    world.open({ path: "pages/index", scene: 1011, query: { utm_source: "qr" } });
    world.navigate(0, "pages/index");
    tracker.identifyWechat({ openid: "oABC123" });
    world.hide();
    await tracker.flush();
    expect(world.requests).toEqual([]);
    expect(world.storage.size).toBe(0);
    tracker.consent({ analytics: "granted" });
    await tracker.flush();
    expect(taken.map((event) => event.event)).toEqual([
      ...["consent_given", "mini_program_opened", "screen_viewed", "$identify"],
      ...["page_left", "mini_program_hidden"],
    ]);
  });

  it("tells of openings with scene and campaign, and of time in front", async () => {
    const tracker = start();
    const called: unknown[] = [];
    world.App(
      tracker.app({
        onLaunch: (options: unknown) => called.push(options),
        onShow(this: unknown) {
          called.push(this === world["apps" as never][0]);
        },
      }),
    );
    const scene = encodeURIComponent("utm_source=dealer&utm_campaign=D001");
    world.open({ path: "pages/index", scene: 1047, query: { scene } });
    time += 12_500;
    world.hide();
    world.open({ path: "pages/index", scene: 1001, query: {} });
    await tracker.flush();
    expect(called[1]).toBe(true);
    const [cold, warm] = of("mini_program_opened").map((event) => event.properties);
    expect(cold).toMatchObject({ scene: 1047, cold: true, utm_source: "dealer", os: "Android" });
    expect(cold).toMatchObject({ touchpoint: "mini_program", utm_campaign: "D001" });
    expect(warm).toMatchObject({ scene: 1001, cold: false, first_utm_source: "dealer" });
    expect(of("mini_program_hidden")[0]!.properties["duration_s"]).toBe(12.5);
  });

  it("tells of pages, their time on view, marked taps and shares, and calls the page's own hooks", async () => {
    const tracker = start();
    world.App(tracker.app({}));
    const page = {
      data: { n: 1 },
      onShow(this: { route: string }) {
        return this.route;
      },
      book(this: unknown, event: unknown) {
        return event;
      },
      onShareAppMessage: () => ({ title: "C5" }),
    };
    world.Page(tracker.page(page));
    world.Page(tracker.page({}));
    world.open({ path: "pages/car" });
    const shown = world.navigate(0, "pages/car") as unknown as typeof page & { onHide(): void };
    const dataset = { carloopClick: "book", carloopPropSeries: "C5", other: "private" };
    const tap = { type: "tap", currentTarget: { dataset }, detail: { x: 10, y: 20, value: "secret" } };
    expect(shown.book(tap)).toBe(tap);
    shown.book({ type: "input", currentTarget: { dataset }, detail: { value: "13905712846" } });
    expect(shown.onShareAppMessage()).toEqual({ title: "C5" });
    time += 3_000;
    shown.onHide();
    world.navigate(1, "pages/dealer");
    await tracker.flush();
    expect(of("screen_viewed").map((e) => [e.properties["path"], e.properties["referrer"]])).toEqual([
      ["pages/car", undefined],
      ["pages/dealer", "pages/car"],
    ]);
    expect(of("page_left")[0]!.properties).toMatchObject({ path: "pages/car", duration_s: 3 });
    expect(of("element_clicked").length).toBe(1);
    expect(of("element_clicked")[0]!.properties).toMatchObject({ element: "book", series: "C5", x: 10 });
    expect(of("content_shared").length).toBe(1);
    expect(JSON.stringify(taken)).not.toMatch(/secret|private|13905712846/);
  });

  it("pages that are components are followed too", async () => {
    const tracker = start();
    const made = tracker.component({ methods: { onShow: () => "theirs" }, data: {} }) as {
      methods: { onShow: () => string };
      data: object;
    };
    expect(made.methods.onShow.call({ is: "pages/member" })).toBe("theirs");
    await tracker.flush();
    expect(of("screen_viewed")[0]!.properties["path"]).toBe("pages/member");
  });

  it("openids belong to the program; later events repeat them", async () => {
    const tracker = start();
    tracker.identifyWechat({ openid: "oABC123", unionid: "u-9" }, { name: "王芳" });
    tracker.track("test_drive_booked");
    await tracker.flush();
    const openid = { namespace: "wx1234567890abcdef", value: "oABC123" };
    for (const event of taken) expect(event.identifiers).toMatchObject({ openid, unionid: "u-9" });
  });

  it("without a network events wait, and leave when it is back", async () => {
    const tracker = start();
    world.network(false);
    tracker.track("offline");
    await tracker.flush();
    expect(taken).toEqual([]);
    const again = start();
    world.network(true);
    await again.flush();
    expect(taken.map((event) => event.event)).toEqual(["offline"]);
  });

  it("a request that fails or is refused for now is repeated", async () => {
    const tracker = start();
    status = 503;
    tracker.track("a");
    await tracker.flush();
    status = 200;
    time += 60_000;
    await tracker.flush();
    expect(taken.map((event) => event.event)).toEqual(["a"]);
    expect(tracker.pending()).toBe(0);
  });

  it.each([
    [{ query: { scene: "D001" } }, { scene: "D001" }],
    [{ query: { scene: "%E0%A4%A" } }, { scene: "%E0%A4%A" }],
    [{ query: { scene: "a%3D1", a: "2" } }, { scene: "a%3D1", a: "2" }],
    [{}, {}],
  ])("reads the query of an opening: %j", (options, query) => {
    expect(arrivalQuery(options)).toEqual(query);
  });
});
