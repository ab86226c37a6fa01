import { parseQuery } from "../core/campaign";
import { Core } from "../core/core";
import type { CommonSettings, Identifiers, Profile, Properties, Tracker } from "../types";
import { MiniWire, StoredVisitor, storeOf } from "./platform";
import type { LaunchOptions, Wx } from "./wx";

export type * from "../types";
export type * from "./wx";

export interface MiniSettings extends CommonSettings {
  /** The global `wx`. */
  wx: Wx;
  /** The program's appid, the namespace of its openids; asked of `wx` unless said. */
  appid?: string;
  /** Milliseconds since the epoch; the device's clock unless said. */
  now?: () => number;
}

type Options = Record<string, unknown>;
type Hook = (this: unknown, ...args: unknown[]) => unknown;

/** The tracker of a mini-program. */
export interface MiniTracker extends Tracker {
  /** `App(tracker.app({…}))`: openings, with scene and campaign, and time in front. */
  app<T extends object>(options: T): T;
  /** `Page(tracker.page({…}))`: page views, time on view, marked taps, shares. */
  page<T extends object>(options: T): T;
  /** `Component(tracker.component({…}))`, for pages that are components. */
  component<T extends object>(options: T): T;
  /** Say who the user is in WeChat's own ids; the openid belongs to this program's appid. */
  identifyWechat(ids: { openid?: string; unionid?: string }, profile?: Profile | Properties): void;
}

const VERSION = "0.1.0";

/** Start tracking a mini-program as the settings say. */
export function createMiniTracker(settings: MiniSettings): MiniTracker {
  for (const name of ["server", "writeKey", "wx"] as const) {
    if (!settings[name]) throw new TypeError(`carloop: the setting ${name} is missing`);
  }
  return new Mini(settings);
}

class Mini implements MiniTracker {
  private readonly core: Core;
  private readonly now: () => number;
  private path = "";
  private shownAt = 0;
  private pageShownAt = 0;
  private pagePath = "";
  private opened = false;
  private said: Properties | undefined;

  constructor(private readonly settings: MiniSettings) {
    const { wx } = settings;
    this.now = settings.now ?? (() => Date.now());
    const store = storeOf(wx);
    this.core = new Core(
      {
        store,
        wire: new MiniWire(wx, settings.server, () => this.core.online()),
        visitor: new StoredVisitor(store),
        now: this.now,
        refused: false,
        circumstances: () => ({
          ...(this.said ??= this.device()),
          path: this.path || undefined,
          sdk: `mini/${VERSION}`,
        }),
      },
      { touchpoint: "mini_program", ...settings },
    );
  }

  app<T extends object>(options: T): T {
    return wrapped(options, {
      onShow: (args) => this.appShown((args[0] ?? {}) as LaunchOptions),
      onHide: () => this.appHidden(),
    });
  }

  page<T extends object>(options: T): T {
    const made = wrapped(options, {
      onShow: (_args, self) => this.pageShown(routeOf(self)),
      onHide: () => this.pageLeft(),
      onUnload: () => this.pageLeft(),
    });
    const hooks = made as Options;
    for (const [name, value] of Object.entries(hooks)) {
      if (typeof value !== "function" || /^on[A-Z]/.test(name)) continue;
      hooks[name] = this.tapped(value as Hook);
    }
    if (typeof hooks["onShareAppMessage"] === "function") {
      hooks["onShareAppMessage"] = this.shared(hooks["onShareAppMessage"] as Hook);
    }
    return made;
  }

  component<T extends object>(options: T): T {
    const methods = (options as Options)["methods"];
    return { ...options, methods: this.page((methods ?? {}) as object) };
  }

  identifyWechat(ids: { openid?: string; unionid?: string }, profile?: Profile | Properties): void {
    const identifiers: Identifiers = {};
    if (ids.openid) identifiers["openid"] = { namespace: this.appid(), value: ids.openid };
    if (ids.unionid) identifiers["unionid"] = ids.unionid;
    if (Object.keys(identifiers).length) this.core.identify(identifiers, profile);
  }

  private appid(): string {
    const found = this.settings.appid ?? this.settings.wx.getAccountInfoSync?.().miniProgram.appId;
    if (!found) throw new TypeError("carloop: the setting appid is missing");
    return found;
  }

  private appShown(options: LaunchOptions): void {
    this.shownAt = this.now();
    this.path = options.path ?? this.path;
    const query = arrivalQuery(options);
    this.core.arrive(query);
    this.core.track("mini_program_opened", {
      path: options.path,
      scene: options.scene,
      cold: !this.opened,
      referrer_appid: options.referrerInfo?.appId || undefined,
    });
    this.opened = true;
  }

  private appHidden(): void {
    this.pageLeft();
    if (this.shownAt) {
      this.core.track("mini_program_hidden", { duration_s: (this.now() - this.shownAt) / 1000 });
    }
    this.shownAt = 0;
    this.core.leave();
  }

  private pageShown(path: string): void {
    if (this.pageShownAt) this.pageLeft();
    const referrer = this.pagePath && this.pagePath !== path ? this.pagePath : undefined;
    this.path = this.pagePath = path || this.path;
    this.pageShownAt = this.now();
    this.core.track("screen_viewed", { path: this.path, referrer });
  }

  private pageLeft(): void {
    if (!this.pageShownAt) return;
    const duration_s = (this.now() - this.pageShownAt) / 1000;
    this.pageShownAt = 0;
    this.core.track("page_left", { path: this.pagePath, duration_s });
  }

  /** Taps on elements with `data-carloop-click`; `data-carloop-prop-…` become properties. */
  private tapped(method: Hook): Hook {
    const tell = (event: unknown) => this.tap(event);
    return function (this: unknown, ...args: unknown[]) {
      tell(args[0]);
      return method.apply(this, args);
    };
  }

  private tap(event: unknown): void {
    const { type, currentTarget, detail } = (event ?? {}) as TapEvent;
    const data = currentTarget?.dataset;
    if (type !== "tap" || typeof data?.["carloopClick"] !== "string") return;
    const properties: Properties = { element: data["carloopClick"], x: detail?.x, y: detail?.y };
    for (const [name, value] of Object.entries(data)) {
      if (!/^carloopProp[A-Z]/.test(name)) continue;
      const rest = name.slice(11).replace(/[A-Z]/g, (big) => "_" + big.toLowerCase());
      if (["string", "number", "boolean"].includes(typeof value)) {
        properties[rest.replace(/^_/, "")] = value as string;
      }
    }
    this.core.track("element_clicked", properties);
  }

  private shared(method: Hook): Hook {
    const tell = () => this.core.track("content_shared", { content_id: this.pagePath });
    return function (this: unknown, ...args: unknown[]) {
      tell();
      return method.apply(this, args);
    };
  }

  private device(): Properties {
    const { wx } = this.settings;
    const device = wx.getDeviceInfo?.() ?? {};
    const app = wx.getAppBaseInfo?.() ?? {};
    return {
      os: device.system?.split(" ")[0] || device.platform,
      device_model: device.model,
      wechat_version: app.version,
      language: app.language,
    };
  }

  track(...args: Parameters<Tracker["track"]>): void {
    this.core.track(...args);
  }

  identify(...args: Parameters<Tracker["identify"]>): void {
    this.core.identify(...args);
  }

  entity(...args: Parameters<Tracker["entity"]>): void {
    this.core.entity(...args);
  }

  relate(...args: Parameters<Tracker["relate"]>): void {
    this.core.relate(...args);
  }

  reset(): void {
    this.core.reset();
  }

  consent(...args: Parameters<Tracker["consent"]>): void {
    this.core.consent(...args);
  }

  consents(): ReturnType<Tracker["consents"]> {
    return this.core.consents();
  }

  flush(): Promise<void> {
    return this.core.flush();
  }

  pending(): number {
    return this.core.pending();
  }
}

interface TapEvent {
  type?: string;
  currentTarget?: { dataset?: Record<string, unknown> };
  detail?: { x?: number; y?: number };
}

/** The query of an opening. A QR code carries all of its own in one field, encoded: `scene`. */
export function arrivalQuery(options: LaunchOptions): Record<string, string> {
  const query = options.query ?? {};
  const coded = query["scene"];
  if (typeof coded !== "string") return query;
  return { ...parseQuery(decodeURIComponentSafe(coded)), ...query };
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The same options with our hooks before theirs. */
function wrapped<T extends object>(
  options: T,
  hooks: Record<string, (args: unknown[], self: unknown) => void>,
): T {
  const made: Options = { ...(options as Options) };
  for (const [name, ours] of Object.entries(hooks)) {
    const theirs = made[name];
    made[name] = function (this: unknown, ...args: unknown[]) {
      ours(args, this);
      return typeof theirs === "function" ? (theirs as Hook).apply(this, args) : undefined;
    };
  }
  return made as T;
}

function routeOf(page: unknown): string {
  const { route, is } = (page ?? {}) as { route?: string; is?: string };
  return route ?? is ?? "";
}
