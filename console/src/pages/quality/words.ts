import { useSourceName } from "../../api/sources";
import { useCatalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { useEventWords } from "../../people/event";
import { percent } from "../../ui/format";
import type { Share } from "./queries";

export const DIMENSIONS = ["timeliness", "completeness", "correctness", "consistency"] as const;

export const shareText = (share: Pick<Share, "percent"> | undefined) =>
  share?.percent == null ? "–" : percent(share.percent / 100, share.percent > 99 && share.percent < 100 ? 2 : 1);

/** Words for sources, tables, fields and rules of data quality. */
export function useQualityWords() {
  const { t, tx, title } = useWords();
  const source = useSourceName();
  const events = useEventWords();
  const types = useCatalogue().data;
  return {
    source: (number: number) => (number === 0 ? t("quality.allSources") : source(number)),
    table: (name: string) => {
      if (name === "*") return t("quality.allTables");
      if (!name.startsWith("entity:")) return events.event(name);
      const type = name.slice("entity:".length);
      return title(types?.entity_types.find((one) => one.name === type)?.title, type);
    },
    field: (table: string, name: string) => {
      if (!name) return t("quality.wholeEvent");
      if (name === "*") return t("quality.allFields");
      const planned = types?.event_types.find((one) => one.name === table)?.properties.find((one) => one.name === name);
      return title(planned?.title, name);
    },
    kind: (name: string) => tx(`quality.kind.${name}`, name),
    code: (name: string) => tx(`quality.code.${name}`, tx(`reason.${name}`, name)),
    dimension: (name: string) => tx(`quality.${name}`, name),
  };
}
