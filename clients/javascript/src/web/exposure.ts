import type { Properties } from "../types";
import { marked } from "./marks";

const MARK = "data-carloop-expose";

interface Watched {
  id: string;
  properties: Properties;
  timer?: ReturnType<typeof setTimeout> | undefined;
  inView: boolean;
}

/**
 * Tells once per page view and id that an element was really seen: at least a share of it (or, where
 * it is larger than the window, that share of the window), for a while without a break, in a page
 * that is visible.
 */
export class Exposure {
  private readonly watched = new Map<Element, Watched>();
  private readonly told = new Set<string>();
  private readonly observer: IntersectionObserver;

  constructor(
    private readonly ratio: number,
    private readonly ms: number,
    private readonly say: (properties: Properties) => void,
  ) {
    const steps = [0, ratio / 4, ratio / 2, ratio, 1];
    this.observer = new IntersectionObserver((entries) => this.moved(entries), {
      threshold: [...new Set(steps.map((step) => Math.min(1, Math.max(0, step))))],
    });
  }

  start(): void {
    this.scan(document.documentElement);
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === "attributes") this.scan(change.target);
        else change.addedNodes.forEach((node) => this.scan(node));
        change.removedNodes.forEach((node) => this.left(node));
      }
    }).observe(document.documentElement, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: [MARK],
    });
  }

  /** Watch one element; the mark does the same from HTML. */
  watch(element: Element, id: string, properties: Properties): void {
    if (this.watched.get(element)?.id === id) return;
    this.unwatch(element);
    this.watched.set(element, { id, properties, inView: false });
    this.observer.observe(element);
  }

  /** A new page view: everything may be seen anew. */
  renew(): void {
    this.told.clear();
    for (const [element] of this.watched) {
      this.observer.unobserve(element);
      this.observer.observe(element);
    }
  }

  /** The page is hidden: nobody looks. */
  pause(): void {
    for (const one of this.watched.values()) this.stop(one);
  }

  /** The page is visible again: what is in view starts anew. */
  resume(): void {
    for (const one of this.watched.values()) if (one.inView) this.begin(one);
  }

  private scan(node: Node): void {
    if (!(node instanceof Element)) return;
    const found = [...node.querySelectorAll(`[${MARK}]`)];
    if (node.hasAttribute(MARK)) found.push(node);
    for (const element of found) {
      const id = element.getAttribute(MARK);
      if (id) this.watch(element, id, marked(element));
    }
  }

  private left(node: Node): void {
    if (!(node instanceof Element)) return;
    for (const [element] of this.watched) {
      if (node.contains(element) && !element.isConnected) this.unwatch(element);
    }
  }

  private unwatch(element: Element): void {
    const one = this.watched.get(element);
    if (!one) return;
    this.stop(one);
    this.observer.unobserve(element);
    this.watched.delete(element);
  }

  private moved(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const one = this.watched.get(entry.target);
      if (!one) continue;
      one.inView = this.isSeen(entry);
      if (one.inView && document.visibilityState === "visible") this.begin(one);
      else this.stop(one);
    }
  }

  private isSeen(entry: IntersectionObserverEntry): boolean {
    if (!entry.isIntersecting) return false;
    if (entry.intersectionRatio >= this.ratio - 1e-6) return true;
    const window = entry.rootBounds;
    if (!window) return false;
    const seen = entry.intersectionRect.width * entry.intersectionRect.height;
    return seen >= this.ratio * window.width * window.height;
  }

  private begin(one: Watched): void {
    if (one.timer !== undefined || this.told.has(one.id)) return;
    one.timer = setTimeout(() => {
      one.timer = undefined;
      if (this.told.has(one.id)) return;
      this.told.add(one.id);
      this.say({ content_id: one.id, ...one.properties });
    }, this.ms);
  }

  private stop(one: Watched): void {
    clearTimeout(one.timer);
    one.timer = undefined;
  }
}
