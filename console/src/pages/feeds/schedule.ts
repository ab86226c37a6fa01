import cronstrue from "cronstrue";
import "cronstrue/locales/zh_CN";
import type { Language } from "../../i18n";

export const UNITS = ["s", "m", "h", "d"] as const;
export type Unit = (typeof UNITS)[number];
export type Plan =
  | { how: "manual" }
  | { how: "continuous" }
  | { how: "every"; n: number; unit: Unit }
  | { how: "cron"; line: string };
export type How = Plan["how"];
export type PlanFault = "tooOften" | "tooRare" | "cron";

const EVERY = /^every ([1-9]\d{0,4})([smhd])$/;
const SHORTEST_SECONDS = 10;
const MOST = 99_999;

/** A schedule as the server writes it. */
export function planOf(schedule: string): Plan {
  if (schedule === "manual" || schedule === "continuous") return { how: schedule };
  const every = EVERY.exec(schedule);
  return every ? { how: "every", n: Number(every[1]), unit: every[2] as Unit } : { how: "cron", line: schedule };
}

/** A plan as the server reads it. */
export function scheduleOf(plan: Plan): string {
  if (plan.how === "every") return `every ${plan.n}${plan.unit}`;
  return plan.how === "cron" ? plan.line.trim().replace(/\s+/g, " ") : plan.how;
}

/** The ways a feed may run: one without end goes on, one with an end begins again. */
export const waysOf = (endless: boolean): How[] => (endless ? ["continuous", "manual"] : ["every", "cron", "manual"]);

/** Why nobody could follow this plan. */
export function planFault(plan: Plan): PlanFault | undefined {
  if (plan.how === "every") {
    if (!Number.isInteger(plan.n) || plan.n < 1 || (plan.unit === "s" && plan.n < SHORTEST_SECONDS)) return "tooOften";
    return plan.n > MOST ? "tooRare" : undefined;
  }
  return plan.how === "cron" && cronWords(plan.line, "en") === undefined ? "cron" : undefined;
}

/** A cron line of five fields in words; undefined where it is none. */
export function cronWords(line: string, language: Language): string | undefined {
  const fields = line.trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  try {
    return cronstrue.toString(fields.join(" "), { locale: language === "zh" ? "zh_CN" : "en", use24HourTimeFormat: true });
  } catch {
    return undefined;
  }
}
