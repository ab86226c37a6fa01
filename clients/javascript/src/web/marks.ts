import type { Properties } from "../types";

const PROPERTY = "carloopProp";

/** Properties from `data-carloop-prop-…` attributes: `data-carloop-prop-series="C5"`. */
export function marked(element: Element): Properties {
  const found: Properties = {};
  for (const [name, value] of Object.entries((element as HTMLElement).dataset ?? {})) {
    if (!name.startsWith(PROPERTY) || name === PROPERTY) continue;
    const rest = name.slice(PROPERTY.length).replace(/[A-Z]/g, (big) => "_" + big.toLowerCase());
    found[rest.replace(/^_/, "")] = value;
  }
  return found;
}
