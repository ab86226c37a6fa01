import { DeleteOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Form, Input, InputNumber, Radio, Select, Tabs, Typography } from "antd";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Catalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { asGroup, toServer } from "../../rules/model";
import { RuleBuilder } from "../../rules/RuleBuilder";
import { TrySend } from "./TrySend";
import type { ConditionNode, EntryNode, Node, SendNode, SplitNode, Text, WaitNode } from "./graph";
import { useChannelNames, useSegmentNames } from "./queries";

type Of<N> = { node: N; onChange: (node: N) => void };

function Item({ label, id, extra, children }: { label: string; id: string; extra?: ReactNode; children: ReactNode }) {
  return (
    <Form.Item label={label} htmlFor={id} extra={extra} style={{ marginBottom: 14 }}>
      {children}
    </Form.Item>
  );
}

function Entry({ node, onChange }: Of<EntryNode>) {
  const { t } = useWords();
  const segments = useSegmentNames().data?.items ?? [];
  return (
    <>
      <Item label={t("rule.segment")} id="node-segment">
        <Select
          id="node-segment"
          value={node.segment || undefined}
          placeholder={t("node.chooseSegment")}
          showSearch={{ optionFilterProp: "label" }}
          options={segments.map((s) => ({ value: s.id, label: s.name }))}
          onChange={(segment) => onChange({ ...node, segment })}
        />
      </Item>
      <Item label={t("node.audience")} id="node-audience">
        <Radio.Group
          id="node-audience"
          value={node.audience}
          onChange={(e) => onChange({ ...node, audience: e.target.value })}
          options={[{ value: "new", label: t("node.audienceNew") }, { value: "all", label: t("node.audienceAll") }]}
        />
      </Item>
      <Item label={t("node.reentry")} id="node-reentry">
        <Select
          id="node-reentry"
          value={node.reentry}
          onChange={(reentry) => onChange({ ...node, reentry })}
          options={(["once", "daily", "every_time"] as const).map((r) => ({ value: r, label: t(`reentry.${r}`) }))}
        />
      </Item>
    </>
  );
}

function Wait({ node, onChange }: Of<WaitNode>) {
  const { t } = useWords();
  return (
    <Flex gap={12}>
      {(["days", "hours", "minutes"] as const).map((unit) => (
        <Item key={unit} label={t(`unit.${unit}`)} id={`node-${unit}`}>
          <InputNumber id={`node-${unit}`} min={0} max={730} value={node[unit]} onChange={(n) => onChange({ ...node, [unit]: n ?? 0 })} style={{ width: 90 }} />
        </Item>
      ))}
    </Flex>
  );
}

const BLANK: Text = { text: "", subject: "", html: "" };

function Send({ node, onChange }: Of<SendNode>) {
  const { t } = useWords();
  const channels = useChannelNames().data?.items ?? [];
  const email = channels.find((c) => c.id === node.channel)?.kind === "email";
  const put = (language: "zh" | "en", change: Partial<Text>) => {
    const next = { ...BLANK, ...node.template[language], ...change };
    const template = { ...node.template, [language]: next };
    if (!next.text && !next.subject && !next.html) delete template[language];
    onChange({ ...node, template });
  };
  return (
    <>
      <Item label={t("node.channel")} id="node-channel" extra={channels.length === 0 && <Link to="/channels">{t("node.noChannel")}</Link>}>
        <Select
          id="node-channel"
          value={node.channel || undefined}
          placeholder={t("node.chooseChannel")}
          options={channels.map((c) => ({ value: c.id, label: c.name }))}
          onChange={(channel) => onChange({ ...node, channel })}
        />
      </Item>
      <Tabs
        size="small"
        items={(["zh", "en"] as const).map((language) => ({
          key: language,
          label: language === "zh" ? "中文" : "English",
          children: (
            <>
              {email && (
                <Item label={t("node.subject")} id={`node-subject-${language}`}>
                  <Input id={`node-subject-${language}`} maxLength={500} value={node.template[language]?.subject ?? ""} onChange={(e) => put(language, { subject: e.target.value })} />
                </Item>
              )}
              <Item label={t("node.text")} id={`node-text-${language}`} extra={t("node.variables")}>
                <Input.TextArea id={`node-text-${language}`} rows={5} maxLength={20000} value={node.template[language]?.text ?? ""} onChange={(e) => put(language, { text: e.target.value })} />
              </Item>
            </>
          ),
        }))}
      />
      <Item label={t("node.purpose")} id="node-purpose" extra={t("node.purposeHint")}>
        <Select
          id="node-purpose"
          value={node.purpose}
          onChange={(purpose) => onChange({ ...node, purpose })}
          options={(["marketing", "service"] as const).map((p) => ({ value: p, label: t(`purpose.${p}`) }))}
        />
      </Item>
      <Item label={t("node.ttl")} id="node-ttl">
        <InputNumber id="node-ttl" min={1} max={720} value={node.ttl_hours} onChange={(n) => onChange({ ...node, ttl_hours: n ?? 24 })} suffix={t("unit.hours")} style={{ width: 140 }} />
      </Item>
    </>
  );
}

function Condition({ node, catalogue, onChange }: Of<ConditionNode> & { catalogue: Catalogue }) {
  const segments = useSegmentNames().data?.items ?? [];
  return (
    <RuleBuilder
      rule={asGroup(node.rule)}
      catalogue={catalogue}
      segments={segments}
      onChange={(rule) => onChange({ ...node, rule: toServer(rule) })}
    />
  );
}

function Split({ node, onChange }: Of<SplitNode>) {
  const { t } = useWords();
  return (
    <>
      <Item label={t("node.splitPercent")} id="node-percent" extra={t("node.splitHint")}>
        <InputNumber id="node-percent" min={0} max={100} precision={2} suffix="%" value={node.percent} onChange={(percent) => onChange({ ...node, percent: percent ?? 50 })} style={{ width: 140 }} />
      </Item>
      <Item label={t("node.splitSalt")} id="node-salt" extra={t("node.splitSaltHint")}>
        <Input id="node-salt" maxLength={64} value={node.salt} onChange={(e) => onChange({ ...node, salt: e.target.value.replace(/[^ -~]/g, "") })} />
      </Item>
    </>
  );
}

type Props = { node: Node; journey?: string; dirty: boolean; catalogue: Catalogue; editable: boolean; onChange: (node: Node) => void; onRemove: () => void };

/** The form of one node. */
export function NodePanel({ node, journey, dirty, catalogue, editable, onChange, onRemove }: Props) {
  const { t } = useWords();
  const removable = editable && node.kind !== "entry_segment" && node.kind !== "exit";
  return (
    <Card
      title={t(`node.${node.kind}`)}
      extra={removable && <Button danger size="small" icon={<DeleteOutlined />} onClick={onRemove}>{t("form.delete")}</Button>}
    >
      <Form layout="vertical" component="div" disabled={!editable}>
        {node.kind === "entry_segment" && <Entry node={node} onChange={onChange} />}
        {node.kind === "wait" && <Wait node={node} onChange={onChange} />}
        {node.kind === "send" && <Send node={node} onChange={onChange} />}
        {node.kind === "condition" && <Condition node={node} catalogue={catalogue} onChange={onChange} />}
        {node.kind === "split" && <Split node={node} onChange={onChange} />}
        {node.kind === "exit" && <Typography.Text type="secondary">{t("node.exitHint")}</Typography.Text>}
      </Form>
      {node.kind === "send" && journey && <TrySend journey={journey} node={node.id} disabled={dirty} />}
    </Card>
  );
}
