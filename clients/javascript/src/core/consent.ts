import type { Consents, ConsentState } from "../types";

export const ANALYTICS = "analytics";
export const MARKETING = "marketing";

/** What the visitor said so far. A visitor whose browser refuses tracking cannot be talked round. */
export class ConsentGate {
  readonly states: Consents;

  constructor(
    states: Consents,
    public version: string,
    /** The browser's own signal (DNT, GPC) stands for "no". */
    readonly refused: boolean,
  ) {
    this.states = { [ANALYTICS]: "unknown", [MARKETING]: "unknown", ...states };
  }

  of(purpose: string): ConsentState {
    if (this.refused) return "denied";
    const state = this.states[purpose];
    return state === "granted" || state === "denied" ? state : "unknown";
  }

  /** Whether anything may be stored on the device. */
  get anyGranted(): boolean {
    return this.granted().length > 0;
  }

  granted(): string[] {
    return Object.keys(this.states).filter((purpose) => this.of(purpose) === "granted");
  }

  all(): Consents {
    const found: Consents = {};
    for (const purpose of Object.keys(this.states)) found[purpose] = this.of(purpose);
    return found;
  }
}
