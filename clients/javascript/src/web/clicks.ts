import type { Properties } from "../types";
import { marked } from "./marks";

const LABELLED = "a,button,[role=button],summary";
const TYPED = "input,textarea,select,option,[contenteditable]";
const DEEPEST = 5;

/** What to say of a click; null where it is nobody's business. Values of inputs are never read. */
export function clickOf(
  event: MouseEvent,
  mode: "marked" | "all",
  clean: (url: string) => string,
): Properties | null {
  const target = event.composedPath()[0] ?? event.target;
  if (!(target instanceof Element) || target.closest("[data-carloop-private]")) return null;
  const mark = target.closest("[data-carloop-click]");
  if (!mark && mode === "marked") return null;
  const button = mark ?? target.closest(LABELLED) ?? target;
  return {
    element: mark?.getAttribute("data-carloop-click") || selectorOf(button),
    ...(mark ? {} : { text: labelOf(button), link: linkOf(button, clean) }),
    ...(mark ? marked(mark) : {}),
    ...place(event),
  };
}

/** Where on the page: for heat maps, comparable between widths by `page_width`. */
function place(event: MouseEvent): Properties {
  const root = document.documentElement;
  return {
    x: Math.round(event.pageX),
    y: Math.round(event.pageY),
    page_width: root.scrollWidth,
    page_height: root.scrollHeight,
    viewport: `${innerWidth}x${innerHeight}`,
  };
}

function labelOf(element: Element): string | undefined {
  if (!element.matches(LABELLED) || element.querySelector(TYPED)) return undefined;
  if (element.querySelector("[data-carloop-private]")) return undefined;
  return element.textContent?.replace(/\s+/g, " ").trim().slice(0, 80) || undefined;
}

function linkOf(element: Element, clean: (url: string) => string): string | undefined {
  const link = element.closest("a[href]");
  return link instanceof HTMLAnchorElement ? clean(link.href) : undefined;
}

/** A short path of tags, ids and classes. */
export function selectorOf(element: Element): string {
  const parts: string[] = [];
  for (let at: Element | null = element; at && parts.length < DEEPEST; at = at.parentElement) {
    const classes = [...at.classList].slice(0, 2).map((name) => "." + name);
    parts.unshift(at.tagName.toLowerCase() + (at.id ? "#" + at.id : classes.join("")));
    if (at.id) break;
  }
  return parts.join(">").slice(0, 300);
}
