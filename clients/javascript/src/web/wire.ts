import type { Answer, Wire } from "../core/sender";
import { utf8Length } from "../core/ids";

const TIMEOUT_MS = 30_000;
const KEEPALIVE_BYTES = 60_000;

/** Brings bodies to the server with `fetch`, and with beacons where the page goes away.
 *
 * Bodies are `text/plain` with the key inside: no preflight, and the same for a beacon. */
export class BrowserWire implements Wire {
  private readonly url: string;

  constructor(server: string) {
    this.url = server.replace(/\/+$/, "") + "/api/events";
  }

  async post(body: string): Promise<Answer> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
    try {
      return await this.fetch(body, abort.signal);
    } catch {
      return { status: 0 }; // Whether it arrived, nobody knows: it is sent again under its ids.
    } finally {
      clearTimeout(timer);
    }
  }

  async leave(body: string): Promise<Answer | null> {
    // A beacon would do too, but tells nothing of the answer.
    if (typeof Request !== "undefined" && "keepalive" in Request.prototype) {
      try {
        return await this.fetch(body);
      } catch {
        return this.beacon(body);
      }
    }
    return this.beacon(body);
  }

  async alone(work: () => Promise<void>): Promise<boolean> {
    const locks = (navigator as { locks?: LockManager }).locks;
    if (!locks) {
      await work();
      return true;
    }
    return locks.request("carloop.sending", { ifAvailable: true }, async (lock) => {
      if (lock) await work();
      return lock !== null;
    });
  }

  online(): boolean {
    return navigator.onLine !== false;
  }

  private async fetch(body: string, signal?: AbortSignal): Promise<Answer> {
    const response = await fetch(this.url, {
      method: "POST",
      body,
      headers: { "content-type": "text/plain;charset=UTF-8" },
      credentials: "omit",
      keepalive: utf8Length(body) < KEEPALIVE_BYTES,
      ...(signal && { signal }),
    });
    const text = await response.text();
    return { status: response.status, retryAfter: response.headers.get("retry-after"), body: text };
  }

  private beacon(body: string): null {
    try {
      navigator.sendBeacon?.(this.url, new Blob([body], { type: "text/plain;charset=UTF-8" }));
    } catch {
      // Blocked: the events wait for the next page.
    }
    return null;
  }
}
