import type { Properties } from "../types";
import { uuid } from "../core/ids";

export interface PageSettings {
  pages: boolean;
  dwell: boolean;
  hashRoutes: boolean;
  clean: (url: string) => string;
}

type Say = (event: string, properties: Properties, at?: number) => void;

/** Follows the visitor from page to page, and how long each was visible. */
export class Pages {
  private url = "";
  private referrer = "";
  private viewId = "";
  private visibleSince = 0;
  private visibleMs = 0;
  private deepest = 0;
  /** Called after every page view. */
  onView: () => void = () => undefined;

  constructor(
    private readonly settings: PageSettings,
    private readonly say: Say,
    private readonly now: () => number,
  ) {}

  /** The page on view, for the properties of other events. */
  here(): Properties {
    return { url: this.settings.clean(this.url || location.href), page_view_id: this.viewId };
  }

  start(): void {
    this.referrer = document.referrer;
    this.view();
    if (!this.settings.pages) return;
    for (const name of ["pushState", "replaceState"] as const) {
      const original = history[name];
      history[name] = (...args: Parameters<History["pushState"]>) => {
        original.apply(history, args);
        this.routed();
      };
    }
    addEventListener("popstate", () => this.routed());
    if (this.settings.hashRoutes) addEventListener("hashchange", () => this.routed());
    addEventListener("scroll", () => this.scrolled(), { passive: true });
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.view(); // Back from the browser's memory: seen once more.
    });
  }

  /** The page is hidden or left: tell how long it was visible since that was last told. */
  pause(): void {
    if (this.visibleSince) this.visibleMs += this.now() - this.visibleSince;
    this.visibleSince = 0;
    if (this.settings.dwell && this.visibleMs > 0) {
      const duration_s = Math.round(this.visibleMs) / 1000;
      this.say("page_left", { ...this.here(), duration_s, scroll_percent: this.deepest });
    }
    this.visibleMs = 0;
  }

  /** The page is visible again. */
  resume(): void {
    if (!this.visibleSince) this.visibleSince = this.now();
  }

  private view(): void {
    this.url = location.href;
    this.viewId = uuid();
    this.visibleMs = 0;
    this.visibleSince = document.visibilityState === "visible" ? this.now() : 0;
    this.deepest = 0;
    this.scrolled();
    const properties = {
      ...this.here(),
      path: location.pathname,
      title: document.title.slice(0, 300),
      referrer: this.referrer ? this.settings.clean(this.referrer) : undefined,
    };
    if (this.settings.pages) this.say("page_viewed", properties);
    this.onView();
  }

  private routed(): void {
    const url = location.href;
    if (this.place(url) === this.place(this.url)) return;
    this.pause();
    this.referrer = this.url;
    this.view();
  }

  private place(url: string): string {
    return this.settings.hashRoutes ? url : url.split("#")[0]!;
  }

  private scrolled(): void {
    const whole = document.documentElement.scrollHeight;
    const seen = whole > 0 ? Math.round((100 * (scrollY + innerHeight)) / whole) : 100;
    this.deepest = Math.max(this.deepest, Math.min(100, seen));
  }
}
