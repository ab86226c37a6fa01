/** What both trackers, for web pages and for mini-programs, take and give. */

export type Value = string | number | boolean | null | Value[] | { [name: string]: Value };
export type Properties = Record<string, Value | undefined>;

/** What a visitor said about one purpose. */
export type ConsentState = "unknown" | "granted" | "denied";
/** Purposes by name. `analytics` covers events and visitor ids, `marketing` the click ids of ads. */
export type Consents = Record<string, ConsentState>;

export interface Namespaced {
  namespace: string;
  value: string;
}
/** Identifiers by type (`login_id`, `mobile`, `openid`, …); see the reference of identifier types. */
export type Identifiers = Record<string, string | Namespaced>;

/** Changes to the person's profile. */
export interface Profile {
  set?: Properties;
  set_once?: Properties;
  increment?: Record<string, number>;
  append?: Properties;
  unset?: string[];
}

export interface TrackOptions {
  /** Needs consent for this purpose; `analytics` unless said. */
  purpose?: string;
  /** Keys of things beside the person, by type: `{dealer: "D001"}`. */
  entities?: Record<string, string | string[]>;
  /** Identifiers for this event alone. */
  identifiers?: Identifiers;
  profile?: Profile;
  /** When it happened, milliseconds since the epoch; now unless said. */
  at?: number;
}

/** One event as `POST /api/events` takes it. */
export interface EventBody {
  message_id: string;
  event: string;
  occurred_at: number;
  identifiers: Identifiers;
  entities?: Record<string, string | string[]>;
  properties: Properties;
  profile?: Profile;
}

/** An event that will not arrive, and why: `rejected` comes with the server's code. */
export interface Lost {
  event: EventBody;
  reason: "rejected" | "refused" | "too_large" | "queue_full" | "expired";
  code?: string;
  path?: string;
}

export interface CommonSettings {
  /** Where carloop answers, without a path: `https://cdp.example.com`. */
  server: string;
  /** The write key of the source. */
  writeKey: string;
  /** What is known of the visitor's consent at the start; every purpose not named is `unknown`. */
  consent?: Consents;
  /** Version of the privacy text the visitor sees; travels with every event. */
  consentVersion?: string;
  /** While consent is unknown, keep events in memory (`hold`) or forget them (`drop`). */
  whileUnknown?: "hold" | "drop";
  /** Properties of every event. */
  properties?: Properties;
  /** The dimension that tells touchpoints apart (`web`, `h5`, `mini_program`, …). */
  touchpoint?: string;
  /** Names of further query parameters that hold click ids. */
  clickIds?: string[];
  /** Send when this many events wait (20) … */
  batchSize?: number;
  /** … or after so many milliseconds (3000). */
  flushAfterMs?: number;
  /** Most events that wait for a connection; the oldest leave first (1000). */
  queueSize?: number;
  /** A session ends after so many minutes of silence (30). */
  sessionMinutes?: number;
  /** Told of every event that will not arrive. */
  onLost?: (lost: Lost) => void;
  /** Write every step to the developer console. */
  debug?: boolean;
}

export interface Tracker {
  /** Record that something happened. */
  track(event: string, properties?: Properties, options?: TrackOptions): void;
  /** Say who the visitor is: a login id, or identifiers by type; and what is known of them. */
  identify(who: string | Identifiers, profile?: Profile | Properties): void;
  /** Tell that the visitor deals with a thing (a dealer, a vehicle, a company). */
  entity(type: string, key: string, properties?: Properties): void;
  /** Open (or end) a relation of the visitor: `relate("owns", "vehicle", vin)`. */
  relate(relation: string, type: string, key: string, options?: { ended?: boolean }): void;
  /** The visitor signed out: a new visitor id and session, and nobody is known. */
  reset(): void;
  /** Record what the visitor agreed to or withdrew. */
  consent(states: Consents, options?: { version?: string }): void;
  /** What stands now. */
  consents(): Consents;
  /** Send what waits; settles when the attempt is over. */
  flush(): Promise<void>;
  /** How many events wait for being sent or for consent. */
  pending(): number;
}
