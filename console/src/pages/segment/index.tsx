import { BranchesOutlined, DeleteOutlined, EditOutlined, ReloadOutlined } from "@ant-design/icons";
import { App, Button, Card, Descriptions, Flex, Popconfirm, Statistic } from "antd";
import { Link, useNavigate, useParams } from "react-router";
import { useCallerName } from "../../api/callers";
import { useMay } from "../../api/session";
import type { Segment } from "../../api/types";
import { useWords } from "../../i18n";
import { PersonTable } from "../../people/PersonTable";
import { number } from "../../ui/format";
import { EmptyState } from "../../ui/EmptyState";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { fetchMembers, useRefresh, useRemove, useRestore, useSegment } from "./queries";

function Actions({ segment }: { segment: Segment }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const { notification } = App.useApp();
  const go = useNavigate();
  const refresh = useRefresh(segment.id);
  const remove = useRemove(segment.id);
  const restore = useRestore(segment.id);
  if (!may("segment.write")) return null;
  const offerUndo = () => {
    const undo = () =>
      restore.mutateAsync(undefined).then(() => {
        notification.destroy(segment.id);
        void go(`/segments/${segment.id}`);
      }, toast.refused);
    notification.success({
      key: segment.id,
      title: t("segment.removed", { name: segment.name }),
      description: t("segment.removedHint"),
      actions: <Button size="small" onClick={undo}>{t("form.undo")}</Button>,
      duration: 12,
    });
    void go("/segments");
  };
  return (
    <>
      <Button
        icon={<ReloadOutlined />}
        loading={refresh.isPending}
        onClick={() => refresh.mutate(undefined, { onSuccess: () => toast.done(t("segment.refreshed")), onError: toast.refused })}
      >
        {t("segment.refresh")}
      </Button>
      {may("journey.write") && (
        <Link to={`/journeys/new?segment=${segment.id}`}>
          <Button icon={<BranchesOutlined />}>{t("segment.toJourney")}</Button>
        </Link>
      )}
      <Link to={`/segments/${segment.id}/edit`}>
        <Button type="primary" icon={<EditOutlined />}>{t("form.edit")}</Button>
      </Link>
      <Popconfirm
        title={t("segment.removeAsk")}
        okText={t("form.delete")}
        cancelText={t("form.cancel")}
        onConfirm={() => remove.mutateAsync().then(offerUndo, toast.refused)}
      >
        <Button danger icon={<DeleteOutlined />} aria-label={t("form.delete")} title={t("form.delete")} />
      </Popconfirm>
    </>
  );
}

export default function SegmentPage() {
  const { t, title } = useWords();
  const may = useMay();
  const id = useParams().id!;
  const query = useSegment(id);
  const callers = useCallerName();
  const members = usePaged(["segment", id, "members"], (cursor) => fetchMembers(id, cursor), {
    enabled: may("person.read"),
  });
  return (
    <Page
      title={query.data?.name ?? t("nav.segments")}
      hint={query.data?.description}
      parent={{ to: "/segments", label: t("nav.segments") }}
      extra={query.data && <Actions segment={query.data} />}
    >
      <Loaded query={query} framed>
        {(segment) => (
          <Flex vertical gap={16}>
            <Card>
              <Flex gap={40} wrap>
                <Statistic
                  title={t("segments.count")}
                  value={segment.suppressed ? "<10" : segment.count == null ? "–" : number(segment.count)}
                />
                <Descriptions
                  column={1}
                  size="small"
                  style={{ flex: 1, minWidth: 320 }}
                  items={[
                    { key: "who", label: t("segments.who"), children: title(segment.sentence, "–") },
                    { key: "at", label: t("segments.refreshed"), children: <Time at={segment.refreshed_at} /> },
                    { key: "by", label: t("segment.by"), children: segment.created_by ? callers(segment.created_by) : t("segment.byPack") },
                  ]}
                />
              </Flex>
            </Card>
            {may("person.read") && (
              <Card title={t("segment.members")}>
                <PersonTable
                  query={members}
                  empty={<EmptyState title={t("segment.noMembers")} hint={t("segment.noMembersHint")} />}
                />
              </Card>
            )}
          </Flex>
        )}
      </Loaded>
    </Page>
  );
}
