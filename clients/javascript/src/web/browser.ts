import type { Properties } from "../types";

const BOT = /bot|crawl|spider|slurp|headless|lighthouse|phantom|preview|monitor|python|curl|wget/i;
const SECRET = /token|secret|passw|pwd|auth|session|ticket|signature|code$|phone|mobile|e-?mail/i;

/** `name=value` in a query, or in a fragment that looks like one. */
const PAIR = /([?&#;])([^=?&#;/]+)=([^&#;]*)/g;

function hidden(all: string, before: string, name: string): string {
  return SECRET.test(name) ? `${before}${name}=removed` : all;
}

/** Whether the page is driven by a program, as far as it says so. */
export function isBot(): boolean {
  return navigator.webdriver === true || BOT.test(navigator.userAgent);
}

/** Whether the browser asks not to be tracked: Do Not Track or Global Privacy Control. */
export function refusesTracking(): boolean {
  const said = navigator as Navigator & { globalPrivacyControl?: boolean };
  return said.doNotTrack === "1" || said.globalPrivacyControl === true;
}

/** The operating system by its usual name. */
export function operatingSystem(agent: string): string {
  if (/HarmonyOS|OpenHarmony/i.test(agent)) return "HarmonyOS";
  if (/Android/i.test(agent)) return "Android";
  if (/iPhone|iPad|iPod/i.test(agent)) return "iOS";
  if (/Windows/i.test(agent)) return "Windows";
  if (/Mac OS X/i.test(agent)) return "macOS";
  return /Linux|CrOS/i.test(agent) ? "Linux" : "";
}

/** An address without credentials and without the values of parameters that sound secret. */
export function withoutSecrets(url: string): string {
  try {
    const parsed = new URL(url, location.href);
    parsed.username = parsed.password = "";
    return parsed.href.replace(PAIR, hidden).slice(0, 2000);
  } catch {
    return "";
  }
}

/** What is said of the device with every event. */
export function device(): Properties {
  return {
    os: operatingSystem(navigator.userAgent) || undefined,
    language: navigator.language,
    screen: `${screen.width}x${screen.height}`,
    bot: isBot() || undefined,
  };
}

/** Local storage, asked for anew each time: merely touching it may throw. */
export const localStore = {
  keys: () => Object.keys(localStorage),
  get: (key: string) => localStorage.getItem(key),
  set: (key: string, value: string) => localStorage.setItem(key, value),
  remove: (key: string) => localStorage.removeItem(key),
};
