import { ArrowDownOutlined, ArrowUpOutlined, CloseOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Collapse, DatePicker, Flex, Form, InputNumber, Select, Space, Typography } from "antd";
import dayjs from "dayjs";
import type { Catalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { EventSelect } from "../../rules/EventSelect";
import { asGroup, removeAt, replaceAt } from "../../rules/model";
import { RuleBuilder } from "../../rules/RuleBuilder";
import { WhereRows } from "../../rules/WhereRows";
import { dayKey } from "../../ui/format";
import type { Params } from "./queries";

type Props = { params: Params; catalogue: Catalogue; onChange: (params: Params) => void };

function Steps({ params, catalogue, onChange }: Props) {
  const { t } = useWords();
  const { steps } = params;
  const put = (next: Params["steps"]) => onChange({ ...params, steps: next });
  const swap = (index: number, by: number) => {
    const next = [...steps];
    [next[index], next[index + by]] = [next[index + by]!, next[index]!];
    put(next);
  };
  return (
    <Flex vertical gap={10}>
      {steps.map((step, index) => (
        <div key={index} role="group" aria-label={t("funnel.step", { n: index + 1 })}>
          <Flex gap={4} align="center">
            <Typography.Text strong style={{ width: 20 }}>{index + 1}</Typography.Text>
            <div style={{ flex: 1 }}>
              <EventSelect
                catalogue={catalogue}
                value={step.event}
                width="100%"
                placeholder={t("funnel.chooseStep", { n: index + 1 })}
                onChange={(event) => put(replaceAt(steps, index, { event, where: [] }))}
              />
            </div>
            <Button type="text" size="small" icon={<ArrowUpOutlined />} aria-label={t("funnel.up")} disabled={index === 0} onClick={() => swap(index, -1)} />
            <Button type="text" size="small" icon={<ArrowDownOutlined />} aria-label={t("funnel.down")} disabled={index === steps.length - 1} onClick={() => swap(index, 1)} />
            <Button type="text" size="small" icon={<CloseOutlined />} aria-label={t("funnel.removeStep", { n: index + 1 })} onClick={() => put(removeAt(steps, index))} />
          </Flex>
          <div style={{ paddingInlineStart: 24 }}>
            <WhereRows
              catalogue={catalogue}
              event={catalogue.event_types.find((e) => e.name === step.event)}
              value={step.where}
              onChange={(where) => put(replaceAt(steps, index, { ...step, where }))}
            />
          </div>
        </div>
      ))}
      <Button type="dashed" icon={<PlusOutlined />} disabled={steps.length >= 10} onClick={() => put([...steps, { event: "", where: [] }])}>
        {t("funnel.addStep")}
      </Button>
    </Flex>
  );
}

function breakdownOptions(params: Params, catalogue: Catalogue, title: ReturnType<typeof useWords>["title"], fields: string, properties: string) {
  const first = catalogue.event_types.find((e) => e.name === params.steps[0]?.event);
  return [
    {
      label: properties,
      title: properties,
      options: (first?.properties ?? [])
        .filter((p) => p.class !== "identifying")
        .map((p) => ({ value: `property:${p.name}`, label: title(p.title, p.name) })),
    },
    {
      label: fields,
      title: fields,
      options: catalogue.fields
        .filter((f) => f.class !== "identifying")
        .map((f) => ({ value: `field:${f.name}`, label: title(f.title, f.name) })),
    },
  ];
}

function breakdownOf(value: string | undefined): Params["breakdown"] {
  if (!value) return null;
  const [kind, name = ""] = value.split(":");
  return kind === "field" ? { field: name } : { property: name };
}

export function Builder({ params, catalogue, onChange }: Props) {
  const { t, title } = useWords();
  const chosen = params.breakdown && ("field" in params.breakdown ? `field:${params.breakdown.field}` : `property:${params.breakdown.property}`);
  const unit = (["days", "hours", "minutes"] as const).find((u) => u in params.window) ?? "days";
  return (
    <Card title={t("funnel.steps")}>
      <Form layout="vertical" component="div">
        <Steps params={params} catalogue={catalogue} onChange={onChange} />
        <Form.Item label={t("funnel.window")} htmlFor="funnel-window" style={{ margin: "16px 0 12px" }}>
          <Space.Compact>
            <InputNumber
              id="funnel-window"
              min={1}
              max={365}
              value={params.window[unit]}
              onChange={(n) => onChange({ ...params, window: { [unit]: n ?? 1 } })}
              style={{ width: 90 }}
            />
            <Select
              aria-label={t("window.unit")}
              value={unit}
              onChange={(next) => onChange({ ...params, window: { [next]: params.window[unit] ?? 1 } })}
              options={(["minutes", "hours", "days"] as const).map((u) => ({ value: u, label: t(`unit.${u}`) }))}
              style={{ width: 100 }}
            />
          </Space.Compact>
        </Form.Item>
        <Form.Item label={t("funnel.range")} htmlFor="funnel-range" style={{ marginBottom: 12 }}>
          <DatePicker.RangePicker
            id={{ start: "funnel-range", end: "funnel-range-end" }}
            allowClear={false}
            value={[dayjs(dayKey(params.from)), dayjs(dayKey(params.to)).subtract(1, "day")]}
            onChange={(range) =>
              range?.[0] && range[1] &&
              onChange({
                ...params,
                from: `${range[0].format("YYYY-MM-DD")}T00:00:00+08:00`,
                to: `${range[1].add(1, "day").format("YYYY-MM-DD")}T00:00:00+08:00`,
              })
            }
          />
        </Form.Item>
        <Form.Item label={t("funnel.breakdown")} htmlFor="funnel-breakdown" style={{ marginBottom: 12 }}>
          <Select
            id="funnel-breakdown"
            allowClear
            placeholder={t("funnel.noBreakdown")}
            value={chosen ?? undefined}
            showSearch={{ optionFilterProp: "label" }}
            onChange={(value?: string) => onChange({ ...params, breakdown: breakdownOf(value) })}
            options={breakdownOptions(params, catalogue, title, t("funnel.byField"), t("funnel.byProperty"))}
          />
        </Form.Item>
        <Collapse
          ghost
          size="small"
          defaultActiveKey={params.filter ? ["filter"] : []}
          items={[
            {
              key: "filter",
              label: t("funnel.filter"),
              children: (
                <RuleBuilder
                  rule={asGroup(params.filter ?? undefined)}
                  catalogue={catalogue}
                  segments={[]}
                  onChange={(rule) => onChange({ ...params, filter: rule.rules.length > 0 ? rule : null })}
                />
              ),
            },
          ]}
        />
      </Form>
    </Card>
  );
}
