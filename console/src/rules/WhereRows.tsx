import { CloseOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Flex, Select } from "antd";
import type { Catalogue, EventType, Property } from "../api/catalogue";
import { useWords } from "../i18n";
import { OpSelect } from "./OpSelect";
import { opsFor, removeAt, replaceAt, reshape, type Comparison } from "./model";
import { ValueInput } from "./ValueInput";

type Props = {
  catalogue: Catalogue;
  event: EventType | undefined;
  value: Comparison[];
  onChange: (where: Comparison[]) => void;
};

/** Property filters of one event. */
export function WhereRows({ catalogue, event, value, onChange }: Props) {
  const { t, title } = useWords();
  const properties = event?.properties ?? [];
  const find = (name: string): Property | undefined => properties.find((p) => p.name === name);
  const put = (index: number, next: Comparison) => onChange(replaceAt(value, index, next));
  return (
    <Flex vertical gap={6} align="flex-start">
      {value.map((row, index) => {
        const property = find(row.property);
        const ops = opsFor(catalogue.ops, property?.type ?? "string", property?.class);
        return (
          <Flex key={index} gap={6} align="center" wrap>
            <Select
              aria-label={t("rule.property")}
              value={row.property || undefined}
              placeholder={t("rule.property")}
              showSearch={{ optionFilterProp: "label" }}
              options={properties.map((p) => ({ value: p.name, label: title(p.title, p.name) }))}
              onChange={(name) => {
                const op = opsFor(catalogue.ops, find(name)?.type ?? "string", find(name)?.class)[0]!;
                put(index, { property: name, op, value: reshape(undefined, op) });
              }}
              style={{ width: 160 }}
            />
            <OpSelect ops={ops} value={row.op} onChange={(op) => put(index, { ...row, op, value: reshape(row.value, op) })} />
            <ValueInput
              type={property?.type ?? "string"}
              op={row.op}
              value={row.value}
              codes={property?.codes.length ? property.codes : null}
              label={t("rule.value")}
              onChange={(v) => put(index, { ...row, value: v })}
            />
            <Button type="text" size="small" icon={<CloseOutlined />} aria-label={t("rule.removeFilter")} onClick={() => onChange(removeAt(value, index))} />
          </Flex>
        );
      })}
      <Button
        type="link"
        size="small"
        icon={<PlusOutlined />}
        disabled={properties.length === 0}
        onClick={() => onChange([...value, { property: "", op: "=", value: null }])}
        style={{ paddingInline: 0 }}
      >
        {t("rule.addFilter")}
      </Button>
    </Flex>
  );
}
