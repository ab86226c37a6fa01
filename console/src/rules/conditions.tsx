import { InputNumber, Select, Space, Typography, Flex } from "antd";
import type { Catalogue } from "../api/catalogue";
import type { Segment } from "../api/types";
import { useWords } from "../i18n";
import { EventSelect, EventsSelect } from "./EventSelect";
import { opsFor, reshape, type Attribute, type InSegment, type Performed } from "./model";
import { OpSelect } from "./OpSelect";
import { ValueInput } from "./ValueInput";
import { WhereRows } from "./WhereRows";
import { WindowInput } from "./WindowInput";

type Of<R> = { rule: R; catalogue: Catalogue; onChange: (rule: R) => void };

export function AttributeRow({ rule, catalogue, onChange }: Of<Attribute>) {
  const { t, title } = useWords();
  const field = catalogue.fields.find((f) => f.name === rule.field);
  const ops = opsFor(catalogue.ops, field?.type ?? "string", field?.class);
  const classes = [...new Set(catalogue.fields.map((f) => f.class))];
  return (
    <Flex gap={6} align="center" wrap>
      <Select
        aria-label={t("rule.field")}
        value={rule.field || undefined}
        placeholder={t("rule.field")}
        showSearch={{ optionFilterProp: "label" }}
        options={classes.map((cls) => ({
          label: t(`class.${cls}` as "class.descriptive"),
          title: cls,
          options: catalogue.fields.filter((f) => f.class === cls).map((f) => ({ value: f.name, label: title(f.title, f.name) })),
        }))}
        onChange={(name) => {
          const next = catalogue.fields.find((f) => f.name === name);
          const op = opsFor(catalogue.ops, next?.type ?? "string", next?.class)[0]!;
          onChange({ ...rule, field: name, op, value: reshape(undefined, op) });
        }}
        popupMatchSelectWidth={false}
        style={{ width: 180 }}
      />
      <OpSelect ops={ops} value={rule.op} onChange={(op) => onChange({ ...rule, op, value: reshape(rule.value, op) })} />
      <ValueInput
        type={field?.type ?? "string"}
        op={rule.op}
        value={rule.value}
        codes={field?.codes}
        label={t("rule.value")}
        onChange={(value) => onChange({ ...rule, value })}
      />
    </Flex>
  );
}

export function PerformedRow({ rule, catalogue, onChange }: Of<Performed>) {
  const { t, tx } = useWords();
  const event = catalogue.event_types.find((e) => e.name === rule.event);
  const count = rule.count ?? { op: ">=", n: 1 };
  return (
    <Flex vertical gap={8} align="flex-start">
      <Flex gap={6} align="center" wrap>
        <WindowInput value={rule.window} onChange={(window) => onChange({ ...rule, window })} />
        <Typography.Text>{t("rule.did")}</Typography.Text>
        {Array.isArray(rule.event) ? (
          <EventsSelect catalogue={catalogue} value={rule.event} onChange={(names) => onChange({ ...rule, event: names })} />
        ) : (
          <EventSelect catalogue={catalogue} value={rule.event} onChange={(name) => onChange({ ...rule, event: name, where: [] })} />
        )}
        <Space.Compact>
          <Select
            aria-label={t("rule.countOp")}
            value={count.op}
            onChange={(op) => onChange({ ...rule, count: { ...count, op } })}
            options={[">=", "=", "<=", ">", "<"].map((op) => ({ value: op, label: tx(`count.${op}`, op) }))}
            style={{ width: 96 }}
          />
          <InputNumber aria-label={t("rule.count")} min={0} max={100000} value={count.n} onChange={(n) => onChange({ ...rule, count: { ...count, n: n ?? 0 } })} style={{ width: 70 }} />
          <Space.Addon>{t("unit.times")}</Space.Addon>
        </Space.Compact>
      </Flex>
      <WhereRows catalogue={catalogue} event={event} value={rule.where ?? []} onChange={(where) => onChange({ ...rule, where })} />
    </Flex>
  );
}

export function InSegmentRow({ rule, segments, onChange }: { rule: InSegment; segments: Pick<Segment, "id" | "name">[]; onChange: (rule: InSegment) => void }) {
  const { t } = useWords();
  return (
    <Select
      aria-label={t("rule.segment")}
      value={rule.segment || undefined}
      placeholder={t("rule.segment")}
      showSearch={{ optionFilterProp: "label" }}
      options={segments.map((s) => ({ value: s.id, label: s.name }))}
      onChange={(segment) => onChange({ ...rule, segment })}
      style={{ width: 280 }}
    />
  );
}
