import type { Language } from "../i18n";

/** The tenant's zone, in which every time of the console is shown; the session names it. */
export let ZONE = "Asia/Shanghai";

export function setZone(zone: string) {
  ZONE = zone;
}

const LOCALES = { zh: "zh-CN", en: "en-GB" } as const;

const part = (language: Language, options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(LOCALES[language], { timeZone: ZONE, ...options });

export function number(value: number): string {
  return value.toLocaleString("en-US");
}

export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)}%`;
}

/** `2026-11-22 08:03:01` in the tenant's zone. */
export function dateTime(value: string | number, seconds = true): string {
  const fields = Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", {
      timeZone: ZONE,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    })
      .formatToParts(new Date(value))
      .map((p) => [p.type, p.value]),
  );
  const clock = `${fields.hour}:${fields.minute}${seconds ? `:${fields.second}` : ""}`;
  return `${fields.year}-${fields.month}-${fields.day} ${clock}`;
}

export function clockTime(value: string | number): string {
  return dateTime(value).slice(11);
}

/** The day in the tenant's zone, `2026-11-22`. */
export function dayKey(value: string | number): string {
  return dateTime(value).slice(0, 10);
}

export function dayTitle(value: string | number, language: Language): string {
  const at = new Date(value);
  const day = part(language, { year: "numeric", month: "short", day: "numeric" }).format(at);
  return `${day} ${part(language, { weekday: "short" }).format(at)}`;
}

/** "3 minutes ago" in the language given. */
export function ago(value: string | number, language: Language, now = Date.now()): string {
  const seconds = (new Date(value).getTime() - now) / 1000;
  const format = new Intl.RelativeTimeFormat(LOCALES[language], { numeric: "auto" });
  const size = Math.abs(seconds);
  if (size < 60) return format.format(Math.round(seconds), "second");
  if (size < 3600) return format.format(Math.round(seconds / 60), "minute");
  if (size < 86400) return format.format(Math.round(seconds / 3600), "hour");
  if (size < 86400 * 60) return format.format(Math.round(seconds / 86400), "day");
  return format.format(Math.round(seconds / 86400 / 30), "month");
}

/** A length of time in its largest unit and the next: `2d 3h`, `4m 10s`; `4d` where no hour is left. */
export function duration(milliseconds: number, language: Language): string {
  const names = language === "zh" ? ["天", "小时", "分", "秒"] : ["d", "h", "m", "s"];
  const space = language === "zh" ? " " : "";
  let rest = Math.max(0, Math.round(milliseconds / 1000));
  const counts = [86400, 3600, 60, 1].map((size) => {
    const count = Math.floor(rest / size);
    rest %= size;
    return count;
  });
  const largest = counts.findIndex((count) => count > 0);
  if (largest < 0) return `0${space}${names[3]}`;
  return counts
    .slice(largest, largest + 2)
    .flatMap((count, index) => (count > 0 ? [`${count}${space}${names[largest + index]}`] : []))
    .join(" ");
}

/** A long value by its two ends: `ou18ca2f…375db2e0`. */
export function short(value: string): string {
  return value.length > 20 ? `${value.slice(0, 8)}…${value.slice(-8)}` : value;
}

export function bytes(size: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit += 1) size /= 1024;
  return `${unit ? size.toFixed(1) : size} ${units[unit]}`;
}
