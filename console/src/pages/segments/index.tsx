import { PlusOutlined } from "@ant-design/icons";
import { Button, Card, Segmented, Typography } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useMay } from "../../api/session";
import type { Segment } from "../../api/types";
import { useWords } from "../../i18n";
import { Count } from "../../ui/CountTag";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { fetchSegments, useRestoreSegment } from "./queries";

export default function Segments() {
  const { t, title } = useWords();
  const may = useMay();
  const toast = useToast();
  const [shown, setShown] = useState<"live" | "deleted">("live");
  const query = usePaged(["segments", shown], (cursor) => fetchSegments(shown === "deleted", cursor));
  const restore = useRestoreSegment();
  const create = may("segment.write") && (
    <Link to="/segments/new/edit">
      <Button type="primary" icon={<PlusOutlined />}>{t("segments.create")}</Button>
    </Link>
  );
  return (
    <Page title={t("nav.segments")} hint={t("segments.hint")} extra={create}>
      <Card>
        {may("segment.write") && (
          <Segmented
            value={shown}
            onChange={setShown}
            style={{ marginBottom: 16 }}
            options={[
              { value: "live", label: t("segments.live") },
              { value: "deleted", label: t("segments.deleted") },
            ]}
          />
        )}
        <QueryTable<Segment>
          query={query}
          label={t("nav.segments")}
          rowKey={(s) => s.id}
          empty={
            shown === "live" ? (
              <EmptyState title={t("segments.empty")} hint={t("segments.emptyHint")} action={create} />
            ) : (
              <EmptyState title={t("segments.noneDeleted")} hint={t("segments.deletedHint")} />
            )
          }
          columns={[
            {
              title: t("segments.name"),
              key: "name",
              width: 260,
              render: (_, s) => (shown === "live" ? <Link to={`/segments/${s.id}`}>{s.name}</Link> : s.name),
            },
            {
              title: t("segments.who"),
              key: "sentence",
              render: (_, s) => (
                <Typography.Paragraph type="secondary" ellipsis={{ rows: 2 }} style={{ margin: 0, maxWidth: 520 }}>
                  {title(s.sentence, s.description)}
                </Typography.Paragraph>
              ),
            },
            {
              title: t("segments.count"),
              key: "count",
              align: "right",
              render: (_, s) => <Count value={s.count} suppressed={s.suppressed} />,
            },
            { title: t("segments.refreshed"), key: "at", render: (_, s) => <Time at={s.refreshed_at} relative /> },
            ...(shown === "deleted"
              ? [
                  {
                    title: "",
                    key: "restore",
                    render: (_: unknown, s: Segment) => (
                      <Button
                        size="small"
                        onClick={() =>
                          restore.mutate(s.id, { onSuccess: () => toast.done(t("segments.restored")), onError: toast.refused })
                        }
                      >
                        {t("segments.restore")}
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      </Card>
    </Page>
  );
}
