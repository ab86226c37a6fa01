import { Flex, Form, InputNumber, TimePicker } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useWords } from "../../i18n";

type Policy = {
  quiet_hours?: { from: string; to: string } | null;
  cap?: { messages: number; days: number } | null;
  rate?: { per_second: number; burst?: number | null } | null;
};
export type PolicyForm = {
  quiet?: [Dayjs, Dayjs] | null;
  messages?: number | null;
  days?: number | null;
  perSecond?: number | null;
  burst?: number | null;
};

const clock = (text: string) => dayjs(`2000-01-01T${text}`);

export function fromPolicy(stored: Record<string, unknown> | undefined): PolicyForm {
  const { quiet_hours, cap, rate } = (stored ?? {}) as Policy;
  return {
    quiet: quiet_hours ? [clock(quiet_hours.from), clock(quiet_hours.to)] : null,
    messages: cap?.messages ?? null,
    days: cap?.days ?? 7,
    perSecond: rate?.per_second ?? null,
    burst: rate?.burst ?? null,
  };
}

export function toPolicy(form: PolicyForm | undefined): Record<string, unknown> {
  const policy: Policy = {};
  if (form?.quiet) policy.quiet_hours = { from: form.quiet[0].format("HH:mm"), to: form.quiet[1].format("HH:mm") };
  if (form?.messages) policy.cap = { messages: form.messages, days: form.days ?? 7 };
  if (form?.perSecond) policy.rate = { per_second: form.perSecond, ...(form.burst ? { burst: form.burst } : {}) };
  return policy;
}

/** When nothing may leave, how many messages one person may get, and how fast they leave. */
export function PolicyFields() {
  const { t } = useWords();
  return (
    <>
      <Form.Item name={["policy", "quiet"]} label={t("policy.quiet")} extra={t("policy.quietHint")}>
        <TimePicker.RangePicker format="HH:mm" minuteStep={15} order={false} needConfirm={false} />
      </Form.Item>
      <Form.Item label={t("policy.cap")} extra={t("policy.capHint")}>
        <Flex gap={8} align="center">
          <Form.Item name={["policy", "messages"]} noStyle>
            <InputNumber aria-label={t("policy.messages")} min={1} max={1000} suffix={t("policy.messages")} style={{ width: 130 }} />
          </Form.Item>
          <span>/</span>
          <Form.Item name={["policy", "days"]} noStyle>
            <InputNumber aria-label={t("unit.days")} min={1} max={365} suffix={t("unit.days")} style={{ width: 110 }} />
          </Form.Item>
        </Flex>
      </Form.Item>
      <Form.Item label={t("policy.rate")} extra={t("policy.rateHint")}>
        <Flex gap={8} align="center">
          <Form.Item name={["policy", "perSecond"]} noStyle>
            <InputNumber aria-label={t("policy.perSecond")} min={0.01} max={100_000} suffix={t("policy.perSecond")} style={{ width: 150 }} />
          </Form.Item>
          <Form.Item name={["policy", "burst"]} noStyle>
            <InputNumber aria-label={t("policy.burst")} min={1} max={100_000} precision={0} placeholder={t("policy.burst")} style={{ width: 150 }} />
          </Form.Item>
        </Flex>
      </Form.Item>
    </>
  );
}
