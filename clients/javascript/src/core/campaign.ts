import type { Properties } from "../types";
import { MARKETING } from "./consent";

const UTM = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id"];
/** What ad platforms add to a landing page: Google, Meta, Microsoft, TikTok, X, LinkedIn; Ocean
 *  Engine, Baidu, Tencent, 360, UC, Kuaishou. */
export const CLICK_IDS = [
  ...["gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id"],
  ...["clickid", "bd_vid", "qz_gdt", "gdt_vid", "qhclickid", "uctrackid", "ks_clickid"],
];
const LONGEST = 300;

/** Campaign fields and click ids of one arrival. */
export interface Touch {
  campaign: Record<string, string>;
  clicks: Record<string, string>;
}

/** The names and values of a query string; what cannot be decoded stays as it is. */
export function parseQuery(query: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of query.replace(/^\?/, "").split("&")) {
    const at = part.indexOf("=");
    if (at > 0) found[decode(part.slice(0, at))] ??= decode(part.slice(at + 1));
  }
  return found;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "));
  } catch {
    return text;
  }
}

/** The touch in these query parameters; null where an arrival tells of no campaign. */
export function touchOf(query: Record<string, string>, more: string[]): Touch | null {
  const pick = (names: string[]) => {
    const found: Record<string, string> = {};
    for (const name of names) if (query[name]) found[name] = query[name].slice(0, LONGEST);
    return found;
  };
  const touch = { campaign: pick(UTM), clicks: pick([...CLICK_IDS, ...more]) };
  return Object.keys({ ...touch.campaign, ...touch.clicks }).length ? touch : null;
}

/** The first and the last touch as properties; click ids only with consent to marketing. */
export function touchProperties(
  first: Touch | null,
  last: Touch | null,
  granted: (purpose: string) => boolean,
): Properties {
  const found: Properties = {};
  const put = (touch: Touch | null, prefix: string) => {
    Object.assign(found, prefixed(touch?.campaign, prefix));
    if (granted(MARKETING)) Object.assign(found, prefixed(touch?.clicks, prefix));
  };
  put(first, "first_");
  put(last, "");
  return found;
}

function prefixed(values: Record<string, string> | undefined, prefix: string): Properties {
  const found: Properties = {};
  for (const [name, value] of Object.entries(values ?? {})) found[prefix + name] = value;
  return found;
}
