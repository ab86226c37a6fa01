import { DownloadOutlined, ImportOutlined, PlusOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Dropdown, Flex, Tabs } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { dateTime } from "../../ui/format";
import { Page } from "../../ui/Page";
import { CoverageCard } from "./CoverageCard";
import { MisfitList, UnplannedList } from "./Departures";
import { EventDrawer, type Opened } from "./EventDrawer";
import { Events } from "./Events";
import { ImportDialog } from "./ImportDialog";
import { Metrics } from "./Metrics";
import { PlanSettings } from "./PlanSettings";
import { usePlan } from "./queries";
import { Difference, PublishDialog, Versions } from "./Versions";

type Dialog = "import" | "publish" | "waiting" | null;

/** The tracking plan: what is to be collected where, beside what arrives. */
export default function PlanPage() {
  const { t } = useWords();
  const may = useMay();
  const plan = usePlan().data;
  const [opened, setOpened] = useState<Opened | null>(null);
  const [dialog, setDialog] = useState<Dialog>(null);
  const open = (name: string) => setOpened({ name, fresh: false });
  const extra = (
    <>
      <Dropdown
        menu={{
          items: (["yaml", "xlsx"] as const).map((format) => ({
            key: format,
            label: <a href={`/api/plan/export?format=${format}`} download>{format === "yaml" ? "YAML" : "Excel"}</a>,
          })),
        }}
      >
        <Button icon={<DownloadOutlined />}>{t("plan.export")}</Button>
      </Dropdown>
      {may("source.write") && (
        <>
          <Button icon={<ImportOutlined />} onClick={() => setDialog("import")}>{t("plan.import")}</Button>
          <Button icon={<PlusOutlined />} onClick={() => setOpened({ name: "", fresh: true })}>{t("plan.newEvent")}</Button>
          <Button type="primary" disabled={!plan?.waiting} onClick={() => setDialog("publish")}>{t("plan.publish")}</Button>
        </>
      )}
    </>
  );
  return (
    <Page title={t("nav.plan")} hint={t("plan.hint")} extra={extra}>
      <Flex vertical gap={16}>
        {plan && plan.waiting > 0 && (
          <Alert
            type="info"
            showIcon
            title={plan.version === null ? t("plan.waitingFirst", { n: plan.waiting }) : t("plan.waiting", { n: plan.waiting, version: plan.version, at: plan.published_at ? dateTime(plan.published_at) : "" })}
            action={<Button size="small" onClick={() => setDialog("waiting")}>{t("plan.compare")}</Button>}
          />
        )}
        <CoverageCard />
        <Card>
          <Tabs
            destroyOnHidden
            items={[
              { key: "events", label: t("plan.events"), children: <Events onOpen={open} /> },
              { key: "unplanned", label: t("plan.unplanned"), children: <UnplannedList onAdd={setOpened} /> },
              { key: "misfits", label: t("plan.misfits"), children: <MisfitList onOpen={open} /> },
              { key: "metrics", label: t("plan.metrics"), children: <Metrics /> },
              { key: "versions", label: t("plan.versions"), children: <Versions etag={plan?.etag ?? ""} /> },
              { key: "settings", label: t("plan.settings"), children: <PlanSettings /> },
            ]}
          />
        </Card>
      </Flex>
      <EventDrawer opened={opened} onClose={() => setOpened(null)} />
      <ImportDialog open={dialog === "import"} etag={plan?.etag ?? ""} onClose={() => setDialog(null)} />
      {dialog === "publish" && plan && <PublishDialog etag={plan.etag} onClose={() => setDialog(null)} />}
      {dialog === "waiting" && plan && <Difference old={plan.version ?? 0} next={null} onClose={() => setDialog(null)} />}
    </Page>
  );
}
