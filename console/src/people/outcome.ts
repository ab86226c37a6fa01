import type { Schemas } from "../api/types";
import { useWords } from "../i18n";

/** The reason of a send in words; protocol codes such as `http_503` by their kind and number. */
export function useReason() {
  const { tx } = useWords();
  return (reason: string): string => {
    const [, kind, code] = /^([a-z_]+?)_(\d{3})$/.exec(reason) ?? [];
    if (kind) return `${tx(`sendReason.${kind}`, kind)} ${code}`;
    return tx(`sendReason.${reason}`, reason);
  };
}

/** What a test message came to, as an alert says it. */
export function useOutcome() {
  const { tx } = useWords();
  const words = useReason();
  return ({ outcome, reason }: Schemas["AttemptOut"]) => ({
    type: outcome === "sent" ? ("success" as const) : ("warning" as const),
    title: tx(`send.${outcome}`, outcome),
    description: reason && words(reason),
  });
}
