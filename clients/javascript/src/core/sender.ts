import type { EventBody, Lost } from "../types";
import { utf8Length } from "./ids";
import type { Queue, Waiting } from "./queue";

/** What the server said; `status` 0 means that nobody knows whether it arrived. */
export interface Answer {
  status: number;
  /** `Retry-After` as sent. */
  retryAfter?: string | null;
  /** The body, where there is one. */
  body?: string;
}

export interface Wire {
  /** Send; never rejects. */
  post(body: string): Promise<Answer>;
  /** Send while the page goes away; the answer is null where none can come. */
  leave(body: string): Promise<Answer | null>;
  /** Run `work` unless another page is sending; false: another is. */
  alone(work: () => Promise<void>): Promise<boolean>;
  online(): boolean;
}

export interface SenderSettings {
  writeKey: string;
  batchSize: number;
  flushAfterMs: number;
}

const MOST_EVENTS = 500;
/** Two such bodies fit into the 64 KiB that browsers let outlive a page. */
const MOST_BYTES = 30_000;
/** What the server takes as one event. */
export const LARGEST_EVENT = 250_000;
/** The server knows ids again for seven days; an unclear event is not repeated after six. */
const REPEATABLE_MS = 6 * 86_400_000;
/** A batch that will never be taken; any other refusal may be the way's fault, and passes. */
const HOPELESS = [400, 413, 422];
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;
const LONGEST_ASKED_MS = 3_600_000;

/** Takes batches from the queue and brings them to the server, at least once each. */
export class Sender {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;
  private readonly flying = new Set<string>();
  private readonly own = new Set<string>();
  private failures = 0;
  private notBefore = 0;
  /** The key was refused: nothing is sent until the next page. */
  private shut = false;

  constructor(
    private readonly queue: Queue,
    private readonly wire: Wire,
    private readonly settings: SenderSettings,
    private readonly now: () => number,
    private readonly lost: (lost: Lost) => void,
    private readonly log: (...what: unknown[]) => void,
  ) {}

  /** An event was added. */
  added(event: EventBody): void {
    this.own.add(event.message_id);
    if (this.own.size >= this.settings.batchSize) void this.flush();
    else this.soon(this.settings.flushAfterMs);
  }

  /** Try again at once: the network is back. */
  retry(): void {
    this.notBefore = 0;
    void this.flush();
  }

  /** Send until nothing waits or an attempt fails. */
  flush(): Promise<void> {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.queue.size > 0) this.soon(this.settings.flushAfterMs);
    });
    return this.running;
  }

  /** The page goes away: send what this page has added and is not on its way. */
  leave(): void {
    const waiting = this.queue.list().filter((one) => this.own.has(one.event.message_id));
    const batch = this.cut(waiting.filter((one) => !this.flying.has(one.key)));
    if (!batch.length || this.shut || !this.wire.online()) return;
    this.queue.markTried(batch, this.now());
    this.fly(batch, true);
    void this.wire.leave(this.body(batch)).then((answer) => {
      this.fly(batch, false);
      if (answer) this.settle(batch, answer);
    });
  }

  private async run(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    let going = true;
    while (going && !this.shut && this.wire.online() && this.now() >= this.notBefore) {
      const mine = await this.wire.alone(async () => {
        going = await this.once();
      });
      if (!mine) return;
    }
  }

  /** One batch; whether to go on. */
  private async once(): Promise<boolean> {
    const now = this.now();
    const waiting = this.queue.list((key) => !this.flying.has(key));
    const stale = waiting.filter((one) => one.tried && now - one.tried > REPEATABLE_MS);
    this.drop(stale, "expired");
    const batch = this.cut(waiting.filter((one) => !stale.includes(one)));
    if (!batch.length) return false;
    this.fly(batch, true);
    try {
      return await this.deliver(batch);
    } finally {
      this.fly(batch, false);
    }
  }

  private async deliver(batch: Waiting[]): Promise<boolean> {
    const answer = await this.wire.post(this.body(batch));
    this.log("sent", batch.length, "→", answer.status);
    if (!HOPELESS.includes(answer.status) || batch.length === 1) return this.settle(batch, answer);
    // One event spoils the batch: find it, so that its neighbours arrive.
    const middle = batch.length >> 1;
    return (
      (await this.deliver(batch.slice(0, middle))) && (await this.deliver(batch.slice(middle)))
    );
  }

  /** Act on an answer; whether to go on sending. */
  private settle(batch: Waiting[], answer: Answer): boolean {
    const { status } = answer;
    if (status >= 200 && status < 300) {
      this.failures = 0;
      this.report(batch, answer.body);
      this.forget(batch);
      return true;
    }
    if (status === 401 || status === 403) {
      this.shut = true;
      this.log("the write key is refused", answer.body);
      return false;
    }
    if (HOPELESS.includes(status)) {
      this.drop(batch, "refused", String(status));
      return true;
    }
    if (status === 0) this.queue.markTried(batch, this.now());
    this.failures += 1;
    this.notBefore = this.now() + waitMs(this.failures, answer.retryAfter, this.now());
    this.soon(this.notBefore - this.now());
    return false;
  }

  private report(batch: Waiting[], body: string | undefined): void {
    let said: { rejected?: { index: number; code: string; path: string }[] } = {};
    try {
      said = JSON.parse(body || "{}") as typeof said;
    } catch {
      return; // A proxy's page; the status has said all there is.
    }
    for (const bad of said.rejected ?? []) {
      const one = batch[bad.index];
      if (one) this.lost({ event: one.event, reason: "rejected", code: bad.code, path: bad.path });
    }
  }

  private drop(batch: Waiting[], reason: Lost["reason"], code?: string): void {
    this.forget(batch);
    for (const one of batch) this.lost({ event: one.event, reason, ...(code && { code }) });
  }

  private forget(batch: Waiting[]): void {
    this.queue.remove(batch.map((one) => one.key));
    for (const one of batch) this.own.delete(one.event.message_id);
  }

  private fly(batch: Waiting[], flies: boolean): void {
    for (const { key } of batch) flies ? this.flying.add(key) : this.flying.delete(key);
  }

  /** As many as one body takes; a single larger event travels alone. */
  private cut(waiting: Waiting[]): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { event } of waiting) {
      bytes += utf8Length(JSON.stringify(event)) + 1;
      if (count > 0 && (bytes > MOST_BYTES || count >= MOST_EVENTS)) break;
      count += 1;
    }
    return waiting.slice(0, count);
  }

  private body(batch: Waiting[]): string {
    return JSON.stringify({
      write_key: this.settings.writeKey,
      sent_at: this.now(),
      events: batch.map((one) => one.event),
    });
  }

  private soon(ms: number): void {
    if (this.timer !== undefined || this.shut) return;
    const wait = Math.max(ms, this.notBefore - this.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.flush();
    }, wait);
  }
}

/** How long to wait after so many failures: what the server asks for, else doubling with chance. */
export function waitMs(failures: number, retryAfter: string | null | undefined, now: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 16));
  const own = full / 2 + (Math.random() * full) / 2;
  if (!retryAfter) return own;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : NaN;
  const asked = Number.isNaN(seconds) ? Date.parse(retryAfter) - now : seconds * 1000;
  return Number.isFinite(asked) && asked > 0 ? Math.min(asked, LONGEST_ASKED_MS) : own;
}
