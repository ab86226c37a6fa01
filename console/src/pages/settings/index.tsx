import { Alert, Button, Card, Form, Input, InputNumber, Select } from "antd";
import { useWords } from "../../i18n";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { useToast } from "../../ui/toast";
import { useSaveSettings, useSettings, type Settings } from "./queries";

const MOST_DAYS = 36_500;
const ZONES = Intl.supportedValuesOf("timeZone").map((zone) => ({ value: zone, label: zone }));

function SettingsForm({ stored }: { stored: Settings & { etag: string } }) {
  const { t } = useWords();
  const toast = useToast();
  const save = useSaveSettings();
  const [form] = Form.useForm<Settings>();
  const days = Form.useWatch("event_days", form) as number | null | undefined;
  const shorter = typeof days === "number" && (stored.event_days === null || days < stored.event_days);
  const zones = ZONES.some((zone) => zone.value === stored.zone) ? ZONES : [{ value: stored.zone, label: stored.zone }, ...ZONES];
  return (
    <Form<Settings>
      form={form}
      layout="vertical"
      requiredMark={false}
      style={{ maxWidth: 520 }}
      initialValues={stored}
      onFinish={(values) =>
        save.mutate({ ...values, event_days: values.event_days ?? null, etag: stored.etag }, {
          onSuccess: () => toast.done(t("settings.saved")),
          onError: toast.refused,
        })
      }
    >
      <Form.Item name="name" label={t("settings.name")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="zone" label={t("settings.zone")} extra={t("settings.zoneHint")} rules={[{ required: true, message: t("form.required") }]}>
        <Select showSearch options={zones} />
      </Form.Item>
      <Form.Item name="event_days" label={t("settings.eventDays")} extra={t("settings.eventDaysHint")}>
        <InputNumber min={1} max={MOST_DAYS} precision={0} placeholder={t("settings.forEver")} style={{ width: 200 }} />
      </Form.Item>
      {shorter && <Alert type="warning" showIcon title={t("settings.shorter", { n: days })} style={{ marginBottom: 16 }} />}
      <Button type="primary" htmlType="submit" loading={save.isPending}>{t("form.save")}</Button>
    </Form>
  );
}

/** What the tenant decides for itself: name, time zone, how long events stay. */
export default function SettingsPage() {
  const { t } = useWords();
  const query = useSettings();
  return (
    <Page title={t("nav.settings")} hint={t("settings.hint")}>
      <Card>
        <Loaded query={query}>{(stored) => <SettingsForm key={stored.etag} stored={stored} />}</Loaded>
      </Card>
    </Page>
  );
}
