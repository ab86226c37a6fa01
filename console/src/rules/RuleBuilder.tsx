import { CloseOutlined, PlusOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Dropdown, Flex, Segmented, Tag, Tooltip, theme } from "antd";
import type { Catalogue } from "../api/catalogue";
import type { Segment } from "../api/types";
import { useWords } from "../i18n";
import { AttributeRow, InSegmentRow, PerformedRow } from "./conditions";
import { emptyRule, removeAt, replaceAt, type Group, type Rule } from "./model";

type Shared = { catalogue: Catalogue; segments: Pick<Segment, "id" | "name">[] };
type Props = Shared & { rule: Group; depth?: number; onChange: (rule: Group) => void };

const START: Record<string, () => Rule> = {
  attribute: () => ({ kind: "attribute", field: "", op: "=", value: null }),
  performed: () => ({ kind: "performed", event: "", count: { op: ">=", n: 1 }, window: { days: 90 }, where: [] }),
  in_segment: () => ({ kind: "in_segment", segment: "" }),
  group: () => ({ ...emptyRule(), kind: "any" }),
};

function Condition({ rule, depth, onChange, ...shared }: Shared & { rule: Rule; depth: number; onChange: (rule: Rule) => void }) {
  switch (rule.kind) {
    case "all":
    case "any":
      return <RuleBuilder {...shared} rule={rule} depth={depth + 1} onChange={onChange} />;
    case "not":
      return <Condition {...shared} rule={rule.rule} depth={depth} onChange={(inner) => onChange({ kind: "not", rule: inner })} />;
    case "attribute":
      return <AttributeRow rule={rule} catalogue={shared.catalogue} onChange={onChange} />;
    case "performed":
      return <PerformedRow rule={rule} catalogue={shared.catalogue} onChange={onChange} />;
    case "in_segment":
      return <InSegmentRow rule={rule} segments={shared.segments} onChange={onChange} />;
    case "everyone":
      return <EveryoneRow />;
  }
}

function EveryoneRow() {
  return <Tag>{useWords().t("rule.everyone")}</Tag>;
}

/** A group of conditions, nested as deep as the rule is. Every control is reachable by Tab. */
export function RuleBuilder({ rule, depth = 0, onChange, ...shared }: Props) {
  const { t } = useWords();
  const { token } = theme.useToken();
  const put = (index: number, next: Rule) => onChange({ ...rule, rules: replaceAt(rule.rules, index, next) });
  const negate = (index: number, inner: Rule) =>
    put(index, inner.kind === "not" ? inner.rule : { kind: "not", rule: inner });
  const add = (kind: string) => onChange({ ...rule, rules: [...rule.rules, START[kind]!()] });
  return (
    <Flex
      vertical
      gap={10}
      role="group"
      aria-label={t(rule.kind === "all" ? "rule.all" : "rule.any")}
      style={{
        borderInlineStart: `3px solid ${rule.kind === "all" ? token.colorPrimary : token.colorWarning}`,
        background: depth % 2 ? token.colorFillQuaternary : undefined,
        borderRadius: 6,
        padding: depth ? "10px 12px" : "2px 0 2px 14px",
        flex: 1,
      }}
    >
      <Segmented
        size="small"
        aria-label={t("rule.join")}
        value={rule.kind}
        onChange={(kind) => onChange({ ...rule, kind: kind as Group["kind"] })}
        options={[
          { value: "all", label: t("rule.all") },
          { value: "any", label: t("rule.any") },
        ]}
        style={{ alignSelf: "flex-start" }}
      />
      {rule.rules.map((inner, index) => (
        <Flex key={index} gap={8} align="flex-start">
          <Tooltip title={t("rule.negateHint")}>
            <Button
              size="small"
              style={{ marginTop: 4 }}
              type={inner.kind === "not" ? "primary" : "text"}
              danger={inner.kind === "not"}
              icon={<StopOutlined />}
              aria-pressed={inner.kind === "not"}
              aria-label={t(inner.kind === "not" ? "rule.not" : "rule.negate")}
              onClick={() => negate(index, inner)}
            >
              {inner.kind === "not" ? t("rule.not") : null}
            </Button>
          </Tooltip>
          <div style={{ flex: 1, minWidth: 0 }}>
            <Condition {...shared} rule={inner} depth={depth} onChange={(next) => put(index, next)} />
          </div>
          <Button
            type="text"
            size="small"
            style={{ marginTop: 4 }}
            icon={<CloseOutlined />}
            aria-label={t("rule.remove")}
            onClick={() => onChange({ ...rule, rules: removeAt(rule.rules, index) })}
          />
        </Flex>
      ))}
      <Flex gap={8} wrap>
        <Dropdown
          trigger={["click"]}
          menu={{
            items: [
              { key: "attribute", label: t("rule.addAttribute") },
              { key: "performed", label: t("rule.addPerformed") },
              { key: "in_segment", label: t("rule.addSegment"), disabled: shared.segments.length === 0 },
              { key: "group", label: t("rule.addGroup"), disabled: depth >= 4 },
            ],
            onClick: ({ key }) => add(key),
          }}
        >
          <Button type="dashed" size="small" icon={<PlusOutlined />}>{t("rule.add")}</Button>
        </Dropdown>
      </Flex>
    </Flex>
  );
}
