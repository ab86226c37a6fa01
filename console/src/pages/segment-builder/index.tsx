import { SaveOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Flex, Form, Input, Spin, Statistic, Typography } from "antd";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { useCatalogue, type Catalogue } from "../../api/catalogue";
import { useMay } from "../../api/session";
import type { Segment } from "../../api/types";
import { useWords } from "../../i18n";
import { asGroup, complete, toServer, type Group, type Rule } from "../../rules/model";
import { RuleBuilder } from "../../rules/RuleBuilder";
import { SqlButton } from "../../ui/Code";
import { useProblemText } from "../../ui/ErrorState";
import { dateTime, number } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { useToast } from "../../ui/toast";
import { useCount, useDebounced, useOthers, useSave, useSql, useStored } from "./queries";

function LiveCount({ group }: { group: Group }) {
  const { t, title } = useWords();
  const text = useProblemText();
  const ready = group.rules.length === 0 || complete(group);
  const settled = useDebounced(group, 400);
  const usable = settled.rules.length === 0 || complete(settled);
  const count = useCount(toServer(settled), usable);
  const sql = useSql(toServer(settled), usable);
  const shown = count.data?.suppressed ? "<10" : count.data?.count == null ? "–" : number(count.data.count);
  return (
    <Card title={t("builder.live")} extra={<SqlButton sql={sql.data?.sql} />}>
      <Flex vertical gap={12} aria-live="polite">
        {count.error && usable ? (
          <Alert type="error" showIcon title={text(count.error)} />
        ) : (
          <Spin spinning={count.isFetching} size="small">
            <Statistic title={t("builder.matching")} value={shown} suffix={<small>{t("unit.people")}</small>} />
          </Spin>
        )}
        {!ready && <Alert type="info" showIcon title={t("builder.incomplete")} />}
        {count.data && (
          <>
            <Typography.Paragraph style={{ margin: 0 }}>{title(count.data.sentence)}</Typography.Paragraph>
            <Typography.Text type="secondary">
              {t("builder.asOf", { at: dateTime(count.data.as_of), ms: number(Math.round(count.data.took_ms)) })}
            </Typography.Text>
          </>
        )}
      </Flex>
    </Card>
  );
}

function Builder({ stored, catalogue }: { stored: Segment | undefined; catalogue: Catalogue }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const go = useNavigate();
  const [group, setGroup] = useState<Group>(() => asGroup(stored?.rule as Rule | undefined));
  const others = useOthers(stored?.id ?? "new");
  const save = useSave(stored);
  const ready = group.rules.length === 0 || complete(group);
  const submit = (fields: { name: string; description?: string }) =>
    save.mutate(
      { name: fields.name, description: fields.description ?? "", rule: toServer(group) },
      {
        onSuccess: (saved) => {
          toast.done(t("builder.saved"));
          void go(`/segments/${saved.id}`);
        },
        onError: toast.refused,
      },
    );
  return (
    <div className="cl-grid cl-two" style={{ alignItems: "start" }}>
      <Card title={t("builder.conditions")}>
        <RuleBuilder rule={group} catalogue={catalogue} segments={others.data ?? []} onChange={setGroup} />
        {group.rules.length === 0 && (
          <Typography.Paragraph type="secondary" style={{ margin: "16px 0 0" }}>{t("builder.everyoneHint")}</Typography.Paragraph>
        )}
      </Card>
      <Flex vertical gap={16} style={{ position: "sticky", top: 72 }}>
        <LiveCount group={group} />
        {may("segment.write") && (
          <Card title={t("builder.save")}>
            <Form layout="vertical" initialValues={stored} onFinish={submit} requiredMark={false}>
              <Form.Item name="name" label={t("segments.name")} rules={[{ required: true, whitespace: true, message: t("form.required") }, { max: 100 }]}>
                <Input placeholder={t("builder.namePlaceholder")} />
              </Form.Item>
              <Form.Item name="description" label={t("builder.description")}>
                <Input.TextArea autoSize={{ minRows: 2, maxRows: 5 }} maxLength={500} />
              </Form.Item>
              <Button type="primary" htmlType="submit" block icon={<SaveOutlined />} disabled={!ready} loading={save.isPending}>
                {t("form.save")}
              </Button>
            </Form>
          </Card>
        )}
      </Flex>
    </div>
  );
}

export default function SegmentBuilder() {
  const { t } = useWords();
  const id = useParams().id!;
  const catalogue = useCatalogue();
  const stored = useStored(id);
  const fresh = id === "new";
  return (
    <Page
      title={fresh ? t("segments.create") : t("builder.edit", { name: stored.data?.name ?? "" })}
      hint={t("builder.hint")}
      parent={{ to: "/segments", label: t("nav.segments") }}
    >
      <Loaded query={catalogue} framed>
        {(known) =>
          fresh ? (
            <Builder stored={undefined} catalogue={known} />
          ) : (
            <Loaded query={stored} framed>{(segment) => <Builder key={segment.etag} stored={segment} catalogue={known} />}</Loaded>
          )
        }
      </Loaded>
    </Page>
  );
}
