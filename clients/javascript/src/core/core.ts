import type {
  CommonSettings,
  Consents,
  EventBody,
  Identifiers,
  Lost,
  Profile,
  Properties,
  TrackOptions,
  Tracker,
} from "../types";
import { parseQuery, touchOf, touchProperties, type Touch } from "./campaign";
import { ANALYTICS, ConsentGate, MARKETING } from "./consent";
import { shortName, utf8Length, uuid } from "./ids";
import { Queue, type Store } from "./queue";
import { LARGEST_EVENT, Sender, type Wire } from "./sender";

/** Ids of the device and the visit; nothing is read or written before consent. */
export interface Visitor {
  id(): string;
  session(now: number, silenceMs: number): string;
  /** A new visitor and a new session. */
  renew(): void;
  /** Leave no trace. */
  forget(): void;
}

/** What differs between a web page and a mini-program. */
export interface Platform {
  store: Store;
  wire: Wire;
  visitor: Visitor;
  now(): number;
  /** What is to be said of the place and moment of an event. */
  circumstances(): Properties;
  /** The browser asks not to be tracked, and the site honours it. */
  refused: boolean;
}

/** Every name under which something is stored begins so. */
export const STORED = "carloop.";
const CONSENT = STORED + "consent";
const KNOWN = STORED + "known";
const FIRST = STORED + "first";
const LAST = STORED + "last";
const MOST_HELD = 200;
/** Identifiers that later events repeat; a phone number or an address never stays on the device. */
const REMEMBERED = ["login_id", "openid", "unionid"];
const PROFILE_PARTS = ["set", "set_once", "increment", "append", "unset"];

interface Draft {
  event: string;
  purpose: string;
  at: number;
  properties: Properties;
  options: TrackOptions;
}

/** The tracker itself; the platform gives it storage, network and surroundings. */
export class Core implements Tracker {
  readonly gate: ConsentGate;
  private readonly queue: Queue;
  private readonly sender: Sender;
  private held: { purpose: string; run: () => void }[] = [];
  private known: Identifiers | undefined;
  private touch: Touch | null = null;
  private firstIsNew = false;
  private dropped = 0;

  constructor(
    private readonly platform: Platform,
    private readonly settings: CommonSettings,
  ) {
    const kept = this.recall<{ states?: Consents; version?: string }>(CONSENT) ?? {};
    this.gate = new ConsentGate(
      { ...kept.states, ...settings.consent },
      settings.consentVersion ?? kept.version ?? "",
      platform.refused,
    );
    const prefix = `${STORED}q.${shortName(settings.writeKey)}.`;
    this.queue = new Queue(platform.store, prefix, settings.queueSize ?? 1000);
    this.sender = new Sender(
      this.queue,
      platform.wire,
      {
        writeKey: settings.writeKey,
        batchSize: settings.batchSize ?? 20,
        flushAfterMs: settings.flushAfterMs ?? 3000,
      },
      platform.now,
      (lost) => this.lost(lost),
      (...what) => this.log(...what),
    );
    if (this.gate.anyGranted && this.queue.size > 0) void this.sender.flush();
  }

  track(event: string, properties: Properties = {}, options: TrackOptions = {}): void {
    const purpose = options.purpose ?? ANALYTICS;
    const draft: Draft = {
      event,
      purpose,
      at: options.at ?? this.platform.now(),
      properties: { ...this.platform.circumstances(), ...this.settings.properties, ...properties },
      options,
    };
    this.whenGranted(purpose, event, () => this.accept(draft));
  }

  identify(who: string | Identifiers, profile: Profile | Properties = {}): void {
    const identifiers = typeof who === "string" ? { login_id: who } : who;
    this.whenGranted(ANALYTICS, "identify", () => this.learn(identifiers));
    this.track("$identify", {}, { identifiers, profile: profileOf(profile) });
  }

  entity(type: string, key: string, properties: Properties = {}): void {
    this.track("$entity", properties, { entities: { [type]: key } });
  }

  relate(relation: string, type: string, key: string, options: { ended?: boolean } = {}): void {
    const properties = { relation, ...(options.ended && { ended: true }) };
    this.track("$relate", properties, { entities: { [type]: key } });
  }

  reset(): void {
    this.whenGranted(ANALYTICS, "reset", () => this.renew());
  }

  consent(states: Consents, options: { version?: string } = {}): void {
    const before = this.gate.granted();
    Object.assign(this.gate.states, states);
    if (options.version !== undefined) this.gate.version = options.version;
    const granted = this.gate.granted();
    this.log("consent", this.gate.all());
    for (const purpose of before.filter((one) => !granted.includes(one))) this.withdraw(purpose);
    if (granted.length === 0) this.forget();
    else this.remember(CONSENT, { states: this.grantedStates(), version: this.gate.version });
    this.keepTouch();
    const fresh = granted.filter((one) => !before.includes(one));
    if (fresh.length > 0) {
      const purpose = granted.includes(ANALYTICS) ? ANALYTICS : fresh[0]!;
      this.track("consent_given", { purposes: fresh }, { purpose });
    }
    this.release();
  }

  consents(): Consents {
    return this.gate.all();
  }

  flush(): Promise<void> {
    return this.gate.anyGranted ? this.sender.flush() : Promise.resolve();
  }

  pending(): number {
    return this.held.length + (this.gate.anyGranted ? this.queue.size : 0);
  }

  /** The page or app goes to the background and may never come back. */
  leave(): void {
    if (this.gate.anyGranted) this.sender.leave();
  }

  /** The network is back. */
  online(): void {
    if (this.gate.anyGranted) this.sender.retry();
  }

  /** The visitor arrived with this query; campaign fields of it count as a touch. */
  arrive(query: string | Record<string, string>): void {
    const fields = typeof query === "string" ? parseQuery(query) : query;
    const touch = touchOf(fields, this.settings.clickIds ?? []);
    if (touch) this.touch = touch;
    this.keepTouch();
  }

  /** Consent changed in another page of the site: do as that one did. */
  follow(stored: string | null): void {
    const kept = stored ? (JSON.parse(stored) as { states: Consents; version: string }) : null;
    const states: Consents = {};
    for (const purpose of Object.keys(this.gate.states)) {
      if (kept?.states[purpose] === "granted") states[purpose] = "granted";
      else if (this.gate.of(purpose) === "granted") states[purpose] = "denied";
    }
    for (const purpose of Object.keys(states)) {
      if (states[purpose] === "denied") this.withdraw(purpose);
    }
    Object.assign(this.gate.states, states);
    this.release();
  }

  log(...what: unknown[]): void {
    if (this.settings.debug) console.info("[carloop]", ...what);
  }

  private whenGranted(purpose: string, what: string, run: () => void): void {
    const state = this.gate.of(purpose);
    if (state === "granted") return run();
    if (state === "denied" || this.settings.whileUnknown === "drop") {
      return this.log(what, "left out: consent to", purpose, "is", state);
    }
    this.held.push({ purpose, run });
    if (this.held.length > MOST_HELD) {
      this.held.shift();
      this.dropped += 1;
    }
  }

  private release(): void {
    const held = this.held;
    this.held = [];
    for (const one of held) {
      const state = this.gate.of(one.purpose);
      if (state === "granted") one.run();
      else if (state === "unknown") this.held.push(one);
    }
  }

  private accept(draft: Draft): void {
    const { options } = draft;
    const event: EventBody = {
      message_id: uuid(),
      event: draft.event,
      occurred_at: Math.round(draft.at),
      identifiers: {
        anonymous_id: this.platform.visitor.id(),
        ...this.knownIds(),
        ...options.identifiers,
      },
      properties: defined({ ...this.common(), ...draft.properties }),
      ...(options.entities && { entities: options.entities }),
      ...(options.profile && { profile: options.profile }),
    };
    if (utf8Length(JSON.stringify(event)) > LARGEST_EVENT) {
      return this.lost({ event, reason: "too_large" });
    }
    this.dropped = 0;
    this.log(event.event, event);
    for (const old of this.queue.add(event, draft.purpose, this.platform.now())) {
      this.lost({ event: old, reason: "queue_full" });
    }
    this.sender.added(event);
  }

  private common(): Properties {
    const minutes = this.settings.sessionMinutes ?? 30;
    return {
      touchpoint: this.settings.touchpoint,
      session_id: this.platform.visitor.session(this.platform.now(), minutes * 60_000),
      consent_purposes: this.gate.granted(),
      consent_version: this.gate.version || undefined,
      client_dropped: this.dropped || undefined,
      ...this.touches(),
    };
  }

  private touches(): Properties {
    const first = this.recall<Touch>(FIRST) ?? this.touch;
    const last = this.touch ?? this.recall<Touch>(LAST) ?? null;
    return touchProperties(first, last, (purpose) => this.gate.of(purpose) === "granted");
  }

  private keepTouch(): void {
    if (!this.gate.anyGranted) return;
    const allowed = (touch: Touch): Touch =>
      this.gate.of(MARKETING) === "granted" ? touch : { ...touch, clicks: {} };
    if (this.touch) {
      if (!this.recall(FIRST)) this.firstIsNew = true;
      if (this.firstIsNew) this.remember(FIRST, allowed(this.touch));
      this.remember(LAST, allowed(this.touch));
    }
  }

  private learn(identifiers: Identifiers): void {
    const known = this.knownIds();
    if (known["login_id"] && identifiers["login_id"] && known["login_id"] !== identifiers["login_id"]) {
      this.renew(); // Another person on this device.
    }
    const next: Identifiers = { ...this.knownIds() };
    for (const type of REMEMBERED) if (identifiers[type]) next[type] = identifiers[type];
    this.known = next;
    if (Object.keys(next).length) this.remember(KNOWN, next);
  }

  private knownIds(): Identifiers {
    return (this.known ??= this.recall<Identifiers>(KNOWN) ?? {});
  }

  private renew(): void {
    this.known = {};
    this.platform.visitor.renew();
    this.erase(KNOWN);
  }

  private withdraw(purpose: string): void {
    const theirs = this.queue.list().filter((one) => one.purpose === purpose);
    this.queue.remove(theirs.map((one) => one.key));
    if (purpose !== MARKETING) return;
    for (const key of [FIRST, LAST]) {
      const touch = this.recall<Touch>(key);
      if (touch) this.remember(key, { ...touch, clicks: {} });
    }
  }

  private forget(): void {
    this.known = {};
    this.platform.visitor.forget();
    try {
      for (const key of this.platform.store.keys()) if (key.startsWith(STORED)) this.erase(key);
    } catch {
      // A store that cannot be read holds nothing of ours.
    }
  }

  private grantedStates(): Consents {
    return Object.fromEntries(this.gate.granted().map((purpose) => [purpose, "granted" as const]));
  }

  private lost(lost: Lost): void {
    this.dropped += 1;
    this.log("lost", lost.reason, lost.code ?? "", lost.path ?? "", lost.event.event);
    this.settings.onLost?.(lost);
  }

  private recall<T>(key: string): T | null {
    try {
      return JSON.parse(this.platform.store.get(key) ?? "null") as T | null;
    } catch {
      return null;
    }
  }

  private remember(key: string, value: unknown): void {
    try {
      this.platform.store.set(key, JSON.stringify(value));
    } catch {
      this.log("nothing can be stored on this device");
    }
  }

  private erase(key: string): void {
    try {
      this.platform.store.remove(key);
    } catch {
      // A store that cannot be written holds nothing of ours.
    }
  }
}

function profileOf(profile: Profile | Properties): Profile | undefined {
  const names = Object.keys(profile);
  if (names.length === 0) return undefined;
  const parts = names.every((name) => PROFILE_PARTS.includes(name));
  return parts ? (profile as Profile) : { set: defined(profile as Properties) };
}

function defined(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}
