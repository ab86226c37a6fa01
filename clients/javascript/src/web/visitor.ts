import type { Visitor } from "../core/core";
import { STORED } from "../core/core";
import { uuid } from "../core/ids";

const ID = "carloop_id";
const SESSION = "carloop_session";
const PROBE = "carloop_probe";
/** Browsers keep a cookie for at most 400 days. */
const KEEP_S = 390 * 86_400;

/** Ids in first-party cookies, so that subdomains share them; in local storage where there are none. */
export class CookieVisitor implements Visitor {
  private held: Record<string, string> = {};
  private found: string | undefined;

  constructor(private readonly wanted: string) {}

  id(): string {
    const known = this.read(ID);
    if (known) return known;
    const fresh = uuid();
    this.write(ID, fresh, KEEP_S);
    return fresh;
  }

  session(now: number, silenceMs: number): string {
    const [known, last] = (this.read(SESSION) ?? "").split(".");
    const goes_on = known && now - parseInt(last ?? "0", 36) < silenceMs;
    const id = goes_on ? known : uuid().slice(0, 13);
    this.write(SESSION, `${id}.${now.toString(36)}`, Math.ceil(silenceMs / 1000));
    return id;
  }

  renew(): void {
    this.write(ID, uuid(), KEEP_S);
    this.drop(SESSION);
  }

  forget(): void {
    this.drop(ID);
    this.drop(SESSION);
  }

  private read(name: string): string | undefined {
    const cookie = readCookie(name);
    if (cookie) return cookie;
    try {
      const stored = localStorage.getItem(STORED + name);
      if (stored && name === ID) this.write(ID, stored, KEEP_S);
      return stored ?? this.held[name];
    } catch {
      return this.held[name];
    }
  }

  private write(name: string, value: string, seconds: number): void {
    this.held[name] = value;
    writeCookie(name, value, seconds, this.domain());
    try {
      if (name === ID || readCookie(name) !== value) localStorage.setItem(STORED + name, value);
    } catch {
      // Neither: the id lasts as long as the page.
    }
  }

  private drop(name: string): void {
    delete this.held[name];
    writeCookie(name, "", 0, this.domain());
    writeCookie(name, "", 0, "");
    try {
      localStorage.removeItem(STORED + name);
    } catch {
      // Nothing is there.
    }
  }

  private domain(): string {
    return (this.found ??= this.wanted === "auto" ? widestDomain(location.hostname) : this.wanted);
  }
}

/** The widest domain a cookie may be set for: browsers refuse those that many sites share. */
export function widestDomain(host: string): string {
  if (/^[\d.]+$|:/.test(host) || !host.includes(".")) return "";
  const labels = host.split(".");
  for (let from = labels.length - 2; from >= 0; from--) {
    const domain = labels.slice(from).join(".");
    writeCookie(PROBE, "1", 10, domain);
    const taken = readCookie(PROBE) === "1";
    writeCookie(PROBE, "", 0, domain);
    if (taken) return domain;
  }
  return "";
}

function readCookie(name: string): string | undefined {
  const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
  return found?.slice(name.length + 1) || undefined;
}

function writeCookie(name: string, value: string, seconds: number, domain: string): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const shared = domain ? `; Domain=${domain}` : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${seconds}; SameSite=Lax${shared}${secure}`;
}
