import { Flex, Form, Input, InputNumber, Radio, Select, Typography } from "antd";
import { useId } from "react";
import { useWords, type Key } from "../../i18n";
import { ZONE } from "../../ui/format";
import { UNITS, cronWords, planFault, waysOf, type How, type Plan, type Unit } from "./schedule";

const START: Record<How, Plan> = {
  manual: { how: "manual" },
  continuous: { how: "continuous" },
  every: { how: "every", n: 15, unit: "m" },
  cron: { how: "cron", line: "0 2 * * *" },
};

/** A schedule in words: `every 15 minutes`, `at 02:00`. */
export function useScheduleWords() {
  const { t, language } = useWords();
  return (plan: Plan): string => {
    if (plan.how === "every") return t("feeds.everyWords", { n: plan.n, unit: t(`feeds.unit.${plan.unit}`) });
    if (plan.how === "cron") return cronWords(plan.line, language) ?? plan.line;
    return t(`feeds.how.${plan.how}`);
  };
}

type Props = { plan: Plan; endless: boolean; refused?: string; onChange: (plan: Plan) => void };

/** When a feed runs. */
export function PlanFields({ plan, endless, refused, onChange }: Props) {
  const { t } = useWords();
  const words = useScheduleWords();
  const line = useId();
  const fault = planFault(plan);
  const said = fault ? t(`feeds.planFault.${fault}` as Key) : refused;
  return (
    <Form.Item label={t("feeds.schedule")} layout="vertical" validateStatus={said ? "error" : undefined} help={said}>
      <Flex vertical gap={10}>
        <Radio.Group
          aria-label={t("feeds.schedule")}
          value={plan.how}
          onChange={(e) => onChange(START[e.target.value as How])}
          options={waysOf(endless).map((how) => ({ value: how, label: t(`feeds.how.${how}`) }))}
        />
        {plan.how === "every" && (
          <Flex gap={8} align="center">
            <InputNumber aria-label={t("feeds.everyCount")} min={1} max={99_999} precision={0} value={plan.n} onChange={(n) => onChange({ ...plan, n: n ?? 0 })} />
            <Select<Unit>
              aria-label={t("feeds.everyUnit")}
              value={plan.unit}
              onChange={(unit) => onChange({ ...plan, unit })}
              options={UNITS.map((unit) => ({ value: unit, label: t(`feeds.unit.${unit}`) }))}
              style={{ width: 110 }}
            />
          </Flex>
        )}
        {plan.how === "cron" && (
          <Flex vertical gap={4}>
            <label htmlFor={line}>{t("feeds.cronLine")}</label>
            <Input id={line} className="cl-mono" maxLength={100} value={plan.line} onChange={(e) => onChange({ how: "cron", line: e.target.value })} style={{ width: 260 }} />
          </Flex>
        )}
        {!fault && plan.how === "cron" && <Typography.Text type="secondary">{words(plan)} · {ZONE}</Typography.Text>}
      </Flex>
    </Form.Item>
  );
}

/** What a run does when a mapped column is gone. */
export function DriftFields({ drift, onChange }: { drift: string; onChange: (drift: string) => void }) {
  const { t } = useWords();
  return (
    <Form.Item label={t("feeds.drift")} extra={t("feeds.driftHint")} layout="vertical">
      <Radio.Group
        aria-label={t("feeds.drift")}
        value={drift}
        onChange={(e) => onChange(e.target.value as string)}
        options={[{ value: "stop", label: t("feeds.driftStop") }, { value: "go_on", label: t("feeds.driftGoOn") }]}
      />
    </Form.Item>
  );
}
