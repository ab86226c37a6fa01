import type { Consents, ConsentState } from "../types";
import { createTracker, type WebTracker } from "./index";
import type { WebSettings } from "./settings";

export { createTracker };

/** The tracker that the script's own attributes started; absent without `data-write-key`. */
export const tracker = fromScript(document.currentScript);

/** `<script src=".../sdk/carloop.js" data-write-key="…" data-clicks="marked">`: no inline script,
 *  which a content security policy would refuse. */
export function fromScript(script: Element | null): WebTracker | undefined {
  const data = script instanceof HTMLScriptElement ? script.dataset : {};
  if (!(script instanceof HTMLScriptElement) || !data["writeKey"]) return undefined;
  const settings: WebSettings = {
    server: data["server"] ?? new URL(script.src).origin,
    writeKey: data["writeKey"],
    ...(data["consent"] && { consent: consentsIn(data["consent"]) }),
    ...(data["consentVersion"] && { consentVersion: data["consentVersion"] }),
    ...(data["whileUnknown"] === "drop" && { whileUnknown: "drop" as const }),
    ...(data["touchpoint"] && { touchpoint: data["touchpoint"] }),
    ...(data["cookieDomain"] !== undefined && { cookieDomain: data["cookieDomain"] }),
    clicks: data["clicks"] === "all" || data["clicks"] === "marked" ? data["clicks"] : "off",
    pages: data["pages"] !== "false",
    dwell: data["dwell"] !== "false",
    exposure: data["exposure"] !== "false",
    hashRoutes: data["hashRoutes"] === "true",
    respectPrivacySignals: data["respectPrivacySignals"] === "true",
    debug: data["debug"] === "true",
  };
  return createTracker(settings);
}

/** `analytics=granted,marketing=denied`. */
function consentsIn(text: string): Consents {
  const found: Consents = {};
  for (const part of text.split(",")) {
    const [purpose, state] = part.split("=").map((word) => word.trim());
    if (purpose && (state === "granted" || state === "denied")) {
      found[purpose] = state as ConsentState;
    }
  }
  return found;
}
