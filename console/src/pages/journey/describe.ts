import { useWords, type Key } from "../../i18n";
import { useChannelNames, useSegmentNames } from "./queries";
import type { Node } from "./graph";

/** A node in words: its kind, what it does, and whether it is filled in. */
export function useDescribe(node: Node): { title: string; detail: string; complete: boolean } {
  const { t } = useWords();
  const segments = useSegmentNames().data?.items ?? [];
  const channels = useChannelNames().data?.items ?? [];
  const title = t(`node.${node.kind}`);
  switch (node.kind) {
    case "entry_segment": {
      const name = segments.find((s) => s.id === node.segment)?.name;
      return { title, detail: name ?? t("node.chooseSegment"), complete: node.segment !== "" };
    }
    case "wait": {
      const parts = [
        node.days && `${node.days} ${t("unit.days")}`,
        node.hours && `${node.hours} ${t("unit.hours")}`,
        node.minutes && `${node.minutes} ${t("unit.minutes")}`,
      ].filter(Boolean);
      return { title, detail: parts.join(" ") || t("node.noWait"), complete: true };
    }
    case "send": {
      const name = channels.find((c) => c.id === node.channel)?.name;
      const written = Object.values(node.template).some((text) => text.text.trim() || text.html.trim());
      if (!node.channel) return { title, detail: t("node.chooseChannel"), complete: false };
      return { title, detail: written ? (name ?? node.channel) : t("node.writeText"), complete: written };
    }
    case "condition":
      return node.rule.kind === "everyone"
        ? { title, detail: t("node.chooseRule"), complete: false }
        : { title, detail: t("node.ruleSet"), complete: true };
    case "split":
      return { title, detail: t("node.splitShare", { a: node.percent, b: Number((100 - node.percent).toFixed(4)) }), complete: true };
    case "exit": {
      const reasons: Record<string, Key> = { not_matching: "node.exitNo", not_chosen: "node.exitNotChosen" };
      return { title, detail: t(reasons[node.reason] ?? "node.exitDone"), complete: true };
    }
  }
}
