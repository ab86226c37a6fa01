import { Core, type Platform, type Visitor } from "../src/core/core";
import type { Store } from "../src/core/queue";
import type { Answer, Wire } from "../src/core/sender";
import type { CommonSettings, EventBody } from "../src/types";

/** A store that can be full or forbidden. */
export class MemoryStore implements Store {
  readonly values = new Map<string, string>();
  broken = false;

  keys(): string[] {
    return [...this.values.keys()];
  }
  get(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  set(key: string, value: string): void {
    if (this.broken) throw new DOMException("full", "QuotaExceededError");
    this.values.set(key, value);
  }
  remove(key: string): void {
    this.values.delete(key);
  }
}

export interface Sent {
  write_key: string;
  sent_at: number;
  events: EventBody[];
}

/** A server that answers what the test says and keeps what it took. */
export class ScriptedWire implements Wire {
  readonly bodies: Sent[] = [];
  readonly taken: EventBody[] = [];
  answers: (Answer | ((sent: Sent) => Answer))[] = [];
  up = true;

  async post(body: string): Promise<Answer> {
    const sent = JSON.parse(body) as Sent;
    this.bodies.push(sent);
    const next = this.answers.shift() ?? { status: 200 };
    const answer = typeof next === "function" ? next(sent) : next;
    if (answer.status === 200) this.taken.push(...sent.events);
    return answer;
  }
  leave(body: string): Promise<Answer | null> {
    return this.post(body);
  }
  async alone(work: () => Promise<void>): Promise<boolean> {
    await work();
    return true;
  }
  online(): boolean {
    return this.up;
  }
}

class PlainVisitor implements Visitor {
  asked = 0;
  private number = 1;
  id(): string {
    this.asked += 1;
    return `visitor-${this.number}`;
  }
  session(): string {
    this.asked += 1;
    return `session-${this.number}`;
  }
  renew(): void {
    this.number += 1;
  }
  forget(): void {
    this.number += 1;
  }
}

export class Rig {
  store = new MemoryStore();
  wire = new ScriptedWire();
  visitor = new PlainVisitor();
  time = 1_795_000_000_000;

  core(settings: Partial<CommonSettings> = {}, refused = false): Core {
    const platform: Platform = {
      store: this.store,
      wire: this.wire,
      visitor: this.visitor,
      now: () => this.time,
      circumstances: () => ({ url: "https://www.example/" }),
      refused,
    };
    return new Core(platform, {
      server: "https://cdp.example",
      writeKey: "wk_1",
      consent: { analytics: "granted" },
      flushAfterMs: 1_000_000,
      ...settings,
    });
  }

  names(): string[] {
    return this.wire.taken.map((event) => event.event);
  }
}
