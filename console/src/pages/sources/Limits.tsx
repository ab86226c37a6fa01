import { Button, Flex, Form, InputNumber, Typography } from "antd";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { Loaded } from "../../ui/Loaded";
import { useToast } from "../../ui/toast";
import { useLimits, useSetLimits } from "./queries";

const KIB = 1024;
const LEAST = { event: 32, wire: 500 };
const MOST = { event: 256, wire: 4194 };
const MOST_WIRE = 4 * KIB * KIB;

/** How much the source may send on the Segment routes. */
export function Limits({ source }: { source: number }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const query = useLimits(source);
  const save = useSetLimits(source);
  return (
    <Flex vertical gap={12}>
      <Typography.Title level={2} style={{ fontSize: 15, margin: 0 }}>{t("limits.title")}</Typography.Title>
      <Loaded query={query} rows={1}>
        {(limits) => (
          <Form
            layout="inline"
            style={{ rowGap: 8 }}
            disabled={!may("source.write")}
            initialValues={{ event: limits.event_bytes / KIB, wire: Math.floor(limits.wire_bytes / 1000) }}
            onFinish={(v: { event: number; wire: number }) =>
              save.mutate({ event_bytes: v.event * KIB, wire_bytes: v.wire >= MOST.wire ? MOST_WIRE : v.wire * 1000 }, {
                onSuccess: () => toast.done(t("limits.saved")),
                onError: toast.refused,
              })
            }
          >
            <Form.Item name="event" label={t("limits.event")} rules={[{ required: true, message: t("form.required") }]}>
              <InputNumber min={LEAST.event} max={MOST.event} precision={0} />
            </Form.Item>
            <Form.Item name="wire" label={t("limits.wire")} rules={[{ required: true, message: t("form.required") }]}>
              <InputNumber min={LEAST.wire} max={MOST.wire} precision={0} />
            </Form.Item>
            {may("source.write") && <Button htmlType="submit" loading={save.isPending}>{t("form.save")}</Button>}
          </Form>
        )}
      </Loaded>
    </Flex>
  );
}
