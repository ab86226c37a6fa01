import { PlusOutlined } from "@ant-design/icons";
import { Button, Card, Tag } from "antd";
import { Link } from "react-router";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { Count } from "../../ui/CountTag";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { fetchJourneys, type JourneySummary } from "./queries";

const COLOURS: Record<string, string> = { live: "success", paused: "warning", stopped: "error" };

export default function Journeys() {
  const { t, tx } = useWords();
  const may = useMay();
  const query = usePaged(["journeys"], fetchJourneys);
  const create = may("journey.write") && (
    <Link to="/journeys/new">
      <Button type="primary" icon={<PlusOutlined />}>{t("journeys.create")}</Button>
    </Link>
  );
  return (
    <Page title={t("nav.journeys")} hint={t("journeys.hint")} extra={create}>
      <Card>
        <QueryTable<JourneySummary>
          query={query}
          label={t("nav.journeys")}
          rowKey={(j) => j.id}
          empty={<EmptyState title={t("journeys.empty")} hint={t("journeys.emptyHint")} action={create} />}
          columns={[
            { title: t("segments.name"), key: "name", render: (_, j) => <Link to={`/journeys/${j.id}`}>{j.name}</Link> },
            { title: t("sources.state"), key: "state", render: (_, j) => <Tag color={COLOURS[j.status]} variant="outlined">{tx(`journey.${j.status}`, j.status)}</Tag> },
            { title: t("journeys.version"), key: "version", align: "right", render: (_, j) => j.version || "–" },
            { title: t("journeys.active"), key: "people", align: "right", render: (_, j) => <Count value={j.people.active} suppressed={j.people.active === null} /> },
            { title: t("overview.sends"), key: "sends", align: "right", render: (_, j) => <Count value={j.sends.reduce((sum, s) => sum + (s.count ?? 0), 0)} /> },
            { title: t("journeys.updated"), key: "at", render: (_, j) => <Time at={j.updated_at} relative /> },
          ]}
        />
      </Card>
    </Page>
  );
}
