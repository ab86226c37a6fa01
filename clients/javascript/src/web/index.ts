import { Core, STORED } from "../core/core";
import type { Properties, Tracker, TrackOptions } from "../types";
import { device, localStore, refusesTracking, withoutSecrets } from "./browser";
import { clickOf } from "./clicks";
import { Exposure } from "./exposure";
import { Pages } from "./pages";
import type { WebSettings } from "./settings";
import { CookieVisitor } from "./visitor";
import { BrowserWire } from "./wire";

export type * from "../types";
export type { WebSettings } from "./settings";

/** The tracker of a web page. */
export interface WebTracker extends Tracker {
  /** Tell once that this element was seen; see `exposureRatio` and `exposureMs`. */
  watch(element: Element, id: string, properties?: Properties): void;
}

const VERSION = "0.1.0";

/** Start tracking this page as the settings say. */
export function createTracker(settings: WebSettings): WebTracker {
  for (const name of ["server", "writeKey"] as const) {
    if (!settings[name]) throw new TypeError(`carloop: the setting ${name} is missing`);
  }
  return new Web(settings);
}

class Web implements WebTracker {
  private readonly core: Core;
  private readonly pages: Pages;
  private readonly exposure: Exposure | undefined;

  constructor(settings: WebSettings) {
    const now = () => Date.now();
    const clean = settings.cleanUrl ?? withoutSecrets;
    const say = (event: string, properties: Properties) => this.core.track(event, properties);
    this.pages = new Pages(
      {
        pages: settings.pages ?? true,
        dwell: settings.dwell ?? true,
        hashRoutes: settings.hashRoutes ?? false,
        clean,
      },
      say,
      now,
    );
    this.core = new Core(
      {
        store: localStore,
        wire: new BrowserWire(settings.server),
        visitor: new CookieVisitor(settings.cookieDomain ?? "auto"),
        now,
        refused: settings.respectPrivacySignals === true && refusesTracking(),
        circumstances: () => ({
          ...device(),
          ...this.pages.here(),
          sdk: `web/${VERSION}`,
          ...settings.circumstances?.(),
        }),
      },
      { touchpoint: "web", ...settings },
    );
    if ((settings.exposure ?? true) && typeof IntersectionObserver !== "undefined") {
      this.exposure = new Exposure(
        Math.min(1, Math.max(0.01, settings.exposureRatio ?? 0.5)),
        settings.exposureMs ?? 1000,
        (properties) => say("content_exposed", properties),
      );
    }
    whenShown(() => this.start(settings, clean));
  }

  private start(settings: WebSettings, clean: (url: string) => string): void {
    this.core.arrive(location.search);
    this.pages.onView = () => this.exposure?.renew();
    this.pages.start();
    this.exposure?.start();
    const clicks = settings.clicks ?? "off";
    if (clicks !== "off") {
      const told = (event: MouseEvent) => {
        const properties = clickOf(event, clicks, clean);
        if (properties) this.core.track("element_clicked", properties);
      };
      document.addEventListener("click", told, { capture: true, passive: true });
    }
    this.listen();
  }

  private listen(): void {
    const hide = () => {
      this.pages.pause();
      this.exposure?.pause();
      this.core.leave();
    };
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") return hide();
      this.pages.resume();
      this.exposure?.resume();
    });
    addEventListener("pagehide", hide);
    addEventListener("online", () => this.core.online());
    addEventListener("storage", (event) => {
      if (event.key === STORED + "consent") this.core.follow(event.newValue);
    });
  }

  track(event: string, properties?: Properties, options?: TrackOptions): void {
    this.core.track(event, properties, options);
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

  watch(element: Element, id: string, properties: Properties = {}): void {
    this.exposure?.watch(element, id, properties);
  }
}

/** At once, or when a page that was loaded ahead of time is really opened. */
function whenShown(start: () => void): void {
  const page = document as Document & { prerendering?: boolean };
  if (!page.prerendering) return start();
  document.addEventListener("prerenderingchange", start, { once: true });
}
