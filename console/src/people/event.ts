import { useCatalogue } from "../api/catalogue";
import type { Titles } from "../api/types";
import { useWords } from "../i18n";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Row = { event: string; properties: Record<string, unknown> };

/** Words for events: their names, their sources, their properties in a line. */
export function useEventWords() {
  const types = useCatalogue().data?.event_types;
  const { t, tx, title } = useWords();
  const plan = (event: string) => types?.find((one) => one.name === event);
  const property = (event: string, name: string) => {
    const said = title(plan(event)?.properties.find((one) => one.name === name)?.title, name);
    return said === name ? tx(`propertyName.${name}`, name) : said;
  };
  const shown = (name: string, value: unknown) => {
    if (typeof value === "boolean") return t(value ? "rule.true" : "rule.false");
    return name === "channel" || name === "purpose" ? tx(`${name}.${String(value)}`, String(value)) : String(value);
  };
  return {
    event: (name: string, titles?: Titles | null) => {
      const said = title(titles ?? plan(name)?.title, name);
      return said === name ? tx(`eventName.${name}`, name) : said;
    },
    source: (name: string) => tx(`sourceName.${name}`, name),
    brief: (row: Row, most = 4) =>
      Object.entries(row.properties)
        .filter(([name, value]) => !name.startsWith("$") && ["string", "number", "boolean"].includes(typeof value))
        .filter(([, value]) => !UUID.test(String(value)))
        .slice(0, most)
        .map(([name, value]) => `${property(row.event, name)} ${shown(name, value)}`)
        .join(" · "),
  };
}
