import type { EventBody } from "../types";

/** Texts by name that outlive the page. Every call may throw. */
export interface Store {
  keys(): string[];
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
}

export interface Waiting {
  key: string;
  event: EventBody;
  purpose: string;
  /** When it was first sent without a clear answer, milliseconds since the epoch. */
  tried?: number;
}

interface Kept {
  e: EventBody;
  p: string;
  t?: number;
}

/**
 * Events that wait to be sent, oldest first.
 *
 * Each is an entry of its own, so that several pages of a site may add and remove at the same time
 * without undoing each other's work. Where the store takes nothing (full, forbidden), events wait in
 * memory.
 */
export class Queue {
  private readonly memory = new Map<string, Kept>();
  private counter = 0;

  constructor(
    private readonly store: Store,
    private readonly prefix: string,
    private readonly most: number,
  ) {}

  /** Add an event; returns what had to leave for it. */
  add(event: EventBody, purpose: string, now: number): EventBody[] {
    const order = (this.counter++ % 46656).toString(36).padStart(3, "0");
    const key = this.prefix + now.toString(36) + order + event.message_id.slice(0, 8);
    this.write(key, { e: event, p: purpose });
    const keys = this.keys();
    const over = keys.slice(0, Math.max(0, keys.length - this.most));
    const left = over.map((old) => this.read(old)?.e);
    this.remove(over);
    return left.filter((old): old is EventBody => old !== undefined);
  }

  /** All waiting events that `wanted` names. */
  list(wanted?: (key: string) => boolean): Waiting[] {
    const found: Waiting[] = [];
    for (const key of this.keys()) {
      if (wanted && !wanted(key)) continue;
      const kept = this.read(key);
      if (!kept) this.remove([key]);
      else found.push({ key, event: kept.e, purpose: kept.p, ...(kept.t && { tried: kept.t }) });
    }
    return found;
  }

  /** Remember that these were sent and nobody knows what became of them. */
  markTried(waiting: Waiting[], now: number): void {
    for (const one of waiting) {
      if (one.tried || !this.read(one.key)) continue;
      this.write(one.key, { e: one.event, p: one.purpose, t: now });
    }
  }

  remove(keys: string[]): void {
    for (const key of keys) {
      this.memory.delete(key);
      try {
        this.store.remove(key);
      } catch {
        // A store that cannot be written holds nothing of ours.
      }
    }
  }

  get size(): number {
    return this.keys().length;
  }

  private keys(): string[] {
    let stored: string[] = [];
    try {
      stored = this.store.keys().filter((key) => key.startsWith(this.prefix));
    } catch {
      // Reading is forbidden: what there is waits in memory.
    }
    return [...new Set([...stored, ...this.memory.keys()])].sort();
  }

  private read(key: string): Kept | undefined {
    const held = this.memory.get(key);
    if (held) return held;
    try {
      const kept = JSON.parse(this.store.get(key) ?? "null") as Kept | null;
      return kept?.e?.message_id ? kept : undefined;
    } catch {
      return undefined;
    }
  }

  private write(key: string, kept: Kept): void {
    try {
      this.store.set(key, JSON.stringify(kept));
      this.memory.delete(key);
    } catch {
      this.memory.set(key, kept);
    }
  }
}
