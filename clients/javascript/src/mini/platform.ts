import { STORED, type Visitor } from "../core/core";
import { uuid } from "../core/ids";
import type { Store } from "../core/queue";
import type { Answer, Wire } from "../core/sender";
import type { Wx } from "./wx";

const ID = STORED + "id";
const SESSION = STORED + "session";
const TIMEOUT_MS = 30_000;

/** The program's own storage. WeChat answers with an empty text for what is not there. */
export function storeOf(wx: Wx): Store {
  return {
    keys: () => wx.getStorageInfoSync().keys,
    get: (key) => {
      const value = wx.getStorageSync(key);
      return typeof value === "string" && value !== "" ? value : null;
    },
    set: (key, value) => wx.setStorageSync(key, value),
    remove: (key) => wx.removeStorageSync(key),
  };
}

/** Sends with `wx.request`; what is not answered is sent again under the same ids. */
export class MiniWire implements Wire {
  private connected = true;
  private readonly url: string;

  constructor(
    private readonly wx: Wx,
    server: string,
    back: () => void,
  ) {
    this.url = server.replace(/\/+$/, "") + "/api/events";
    wx.onNetworkStatusChange?.(({ isConnected }) => {
      const before = this.connected;
      this.connected = isConnected;
      if (isConnected && !before) back();
    });
  }

  post(body: string): Promise<Answer> {
    return new Promise((resolve) => {
      try {
        this.wx.request({
          url: this.url,
          method: "POST",
          data: body,
          header: { "content-type": "application/json" },
          timeout: TIMEOUT_MS,
          dataType: "text",
          success: ({ statusCode, data, header }) =>
            resolve({
              status: statusCode,
              retryAfter: headerOf(header, "retry-after"),
              body: typeof data === "string" ? data : JSON.stringify(data ?? {}),
            }),
          fail: () => resolve({ status: 0 }),
        });
      } catch {
        resolve({ status: 0 });
      }
    });
  }

  leave(body: string): Promise<Answer> {
    return this.post(body);
  }

  async alone(work: () => Promise<void>): Promise<boolean> {
    await work(); // A mini-program has one script thread.
    return true;
  }

  online(): boolean {
    return this.connected;
  }
}

function headerOf(header: Record<string, string> | undefined, wanted: string): string | null {
  const name = Object.keys(header ?? {}).find((one) => one.toLowerCase() === wanted);
  return name ? header![name]! : null;
}

/** Ids in the program's storage. */
export class StoredVisitor implements Visitor {
  private readonly held = new Map<string, string>();

  constructor(private readonly store: Store) {}

  id(): string {
    const known = this.read(ID);
    return known ?? this.write(ID, uuid());
  }

  session(now: number, silenceMs: number): string {
    const [known, last] = (this.read(SESSION) ?? "").split(".");
    const goesOn = known && now - parseInt(last ?? "0", 36) < silenceMs;
    const id = goesOn ? known : uuid().slice(0, 13);
    this.write(SESSION, `${id}.${now.toString(36)}`);
    return id;
  }

  renew(): void {
    this.write(ID, uuid());
    this.drop(SESSION);
  }

  forget(): void {
    this.drop(ID);
    this.drop(SESSION);
  }

  private read(key: string): string | undefined {
    try {
      return this.store.get(key) ?? this.held.get(key);
    } catch {
      return this.held.get(key);
    }
  }

  private write(key: string, value: string): string {
    this.held.set(key, value);
    try {
      this.store.set(key, value);
    } catch {
      // Full: the id lasts as long as the program runs.
    }
    return value;
  }

  private drop(key: string): void {
    this.held.delete(key);
    try {
      this.store.remove(key);
    } catch {
      // Nothing is there.
    }
  }
}
