import type { CommonSettings, Properties } from "../types";

export interface WebSettings extends CommonSettings {
  /** Record page views, route changes of single-page sites included (true). */
  pages?: boolean;
  /** Routes live behind `#` (false). */
  hashRoutes?: boolean;
  /** Record how long a page was visible (true). */
  dwell?: boolean;
  /** Record clicks on elements marked `data-carloop-click` (`marked`), on everything (`all`). */
  clicks?: "off" | "marked" | "all";
  /** Record what was seen of elements marked `data-carloop-expose` (true). */
  exposure?: boolean;
  /** Share of an element that must be in view, 0 to 1 (0.5) … */
  exposureRatio?: number;
  /** … and for how long without a break, in milliseconds (1000). */
  exposureMs?: number;
  /** Domain of the cookies; `auto`: the widest the browser takes, so that subdomains share them;
   *  empty: this host alone. */
  cookieDomain?: string;
  /** A browser that sends Do Not Track or Global Privacy Control is never tracked (false). */
  respectPrivacySignals?: boolean;
  /** Rewrites an address before it is sent; by default values of secret-sounding parameters go. */
  cleanUrl?: (url: string) => string;
  /** Properties of an event of the moment it happens. */
  circumstances?: () => Properties;
}
