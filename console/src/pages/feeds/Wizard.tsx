import { Alert, Button, Card, Flex, Form, Input, Radio, Steps, Switch, Typography } from "antd";
import { useState, type ReactNode } from "react";
import { Problem } from "../../api/client";
import { useCatalogue, type Catalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { useProblemText } from "../../ui/ErrorState";
import { Loaded } from "../../ui/Loaded";
import type { Schema } from "../../ui/SchemaForm";
import { columnOfPath, headersOf, type Document } from "./mapping";
import { MappingEditor, fit } from "./MappingEditor";
import { DriftFields, PlanFields } from "./PlanFields";
import { SettingsForm } from "./SettingsForm";
import { TrialResult, columnsOf } from "./TrialResult";
import { useCreate, useFeedKinds, useTry, type FeedKind, type Trial } from "./queries";
import { planFault, scheduleOf, type Plan } from "./schedule";
import { settingOfPath } from "./settings";

const CONNECT = 0, LOOK = 1, MAP = 2, PLAN = 3;
type Draft = { kind: FeedKind; settings: Document; trial?: Trial; mapping: unknown; name: string; plan: Plan; drift: string; historical: boolean };

const fresh = (kind: FeedKind): Draft => ({
  kind,
  settings: {},
  mapping: undefined,
  name: "",
  plan: kind.endless ? { how: "continuous" } : { how: "every", n: 15, unit: "m" },
  drift: "stop",
  historical: false,
});

const sameColumns = (one: Trial | undefined, other: Trial) =>
  JSON.stringify(columnsOf(one)) === JSON.stringify(columnsOf(other)) && columnsOf(other).length > 0;

/** The step that can mend what a refusal names. */
function stepOf(problem: unknown, kind: FeedKind): number {
  if (!(problem instanceof Problem)) return PLAN;
  if (problem.code.startsWith("mapping_")) return MAP;
  if (["name", "schedule", "drift"].includes(problem.path ?? "") || problem.code === "name_taken") return PLAN;
  return settingOfPath(problem.path, kind.settings as Schema) ? CONNECT : PLAN;
}

/** Each kind has a form of its own: what was typed for one means nothing to another. */
function Settings({ draft, refused, busy, onSubmit }: { draft: Draft; refused: unknown; busy: boolean; onSubmit: (settings: Document) => void }) {
  const { t } = useWords();
  const [form] = Form.useForm<{ settings: Document }>();
  return (
    <>
      <SettingsForm form={form} kind={draft.kind.kind} schema={draft.kind.settings as Schema} initial={draft.settings} refused={refused} onSubmit={onSubmit} />
      <Flex><Button type="primary" loading={busy} onClick={() => form.submit()}>{t("feeds.try")}</Button></Flex>
    </>
  );
}

function Connect({ draft, kinds, refused, busy, onKind, onSubmit }: {
  draft: Draft; kinds: FeedKind[]; refused: unknown; busy: boolean; onKind: (kind: FeedKind) => void; onSubmit: (settings: Document) => void;
}) {
  const { t, title } = useWords();
  return (
    <Flex vertical gap={20} style={{ maxWidth: 640 }}>
      <Form.Item label={t("feeds.kind")} layout="vertical" style={{ margin: 0 }}>
        <Radio.Group
          aria-label={t("feeds.kind")}
          value={draft.kind.kind}
          onChange={(e) => onKind(kinds.find((one) => one.kind === e.target.value)!)}
          options={kinds.map((one) => ({ value: one.kind, label: title(one.title, one.kind) }))}
        />
      </Form.Item>
      <Typography.Text type="secondary">{t(draft.kind.endless ? "feeds.endlessHint" : "feeds.endingHint")}</Typography.Text>
      <Settings key={draft.kind.kind} draft={draft} refused={refused} busy={busy} onSubmit={onSubmit} />
    </Flex>
  );
}

function PlanStep({ draft, refused, onChange }: { draft: Draft; refused: unknown; onChange: (draft: Draft) => void }) {
  const { t } = useWords();
  const text = useProblemText();
  const problem = refused instanceof Problem ? refused : undefined;
  const at = (path: string) => (problem?.path === path || problem?.path === `body.${path}` ? text(problem) : undefined);
  const name = at("name") ?? (problem?.code === "name_taken" ? text(problem) : undefined);
  const elsewhere = problem && !name && !at("schedule") && !at("drift");
  return (
    <Flex vertical style={{ maxWidth: 640 }}>
      <Form.Item label={t("sources.name")} htmlFor="feed-name" layout="vertical" validateStatus={name ? "error" : undefined} help={name}>
        <Input id="feed-name" value={draft.name} maxLength={100} placeholder={t("feeds.namePlaceholder")} onChange={(e) => onChange({ ...draft, name: e.target.value })} />
      </Form.Item>
      <PlanFields plan={draft.plan} endless={draft.kind.endless} refused={at("schedule")} onChange={(plan) => onChange({ ...draft, plan })} />
      <DriftFields drift={draft.drift} onChange={(drift) => onChange({ ...draft, drift })} />
      <Form.Item label={t("sources.historical")} extra={t("sources.historicalHint")} layout="vertical">
        <Switch aria-label={t("sources.historical")} checked={draft.historical} onChange={(historical) => onChange({ ...draft, historical })} />
      </Form.Item>
      {refused != null && (elsewhere || !problem) && <Alert role="alert" type="error" showIcon title={text(refused)} style={{ marginBottom: 16 }} />}
    </Flex>
  );
}

function Steered({ kinds, catalogue, onDone }: { kinds: FeedKind[]; catalogue: Catalogue; onDone: (id: string) => void }) {
  const { t } = useWords();
  const text = useProblemText();
  const [draft, setDraft] = useState<Draft>(fresh(kinds[0]!));
  const [step, setStep] = useState(CONNECT);
  const [refused, setRefused] = useState<unknown>(null);
  const attempt = useTry();
  const create = useCreate();
  const seen = { columns: columnsOf(draft.trial), sample: draft.trial?.sample ?? [] };
  const move = (to: number) => {
    setRefused(null);
    setStep(to);
  };
  const look = (settings: Document) => {
    setRefused(null);
    setDraft({ ...draft, settings });
    attempt.mutate({ kind: draft.kind.kind, settings }, {
      onSuccess: (trial) => {
        setDraft({ ...draft, settings, trial, mapping: sameColumns(draft.trial, trial) ? draft.mapping : trial.mapping });
        move(LOOK);
      },
      onError: setRefused,
    });
  };
  const finish = () => {
    setRefused(null);
    const { kind, settings, name, plan, drift, historical } = draft;
    const body = { kind: kind.kind, settings, name: name.trim(), schedule: scheduleOf(plan), drift, historical, mapping: draft.mapping as Document };
    create.mutate(body, {
      onSuccess: (feed) => onDone(feed.id),
      onError: (problem) => {
        setStep(stepOf(problem, kind));
        setRefused(problem);
      },
    });
  };
  const wrong = step === MAP && refused instanceof Problem ? columnOfPath(refused.path, headersOf(seen.columns, seen.sample)) : undefined;
  const steps: Record<number, ReactNode> = {
    [CONNECT]: <Connect draft={draft} kinds={kinds} refused={refused} busy={attempt.isPending} onKind={(kind) => { setRefused(null); setDraft(fresh(kind)); }} onSubmit={look} />,
    [LOOK]: draft.trial && <TrialResult trial={draft.trial} />,
    [MAP]: (
      <>
        {refused != null && <Alert role="alert" type="error" showIcon title={wrong ? t("feeds.columnWrong", { column: wrong, why: text(refused) }) : text(refused)} description={refused instanceof Problem ? refused.message : undefined} />}
        <MappingEditor value={draft.mapping} seen={seen} catalogue={catalogue} wrong={wrong} onChange={(mapping) => setDraft({ ...draft, mapping })} />
      </>
    ),
    [PLAN]: <PlanStep draft={draft} refused={refused} onChange={setDraft} />,
  };
  const ready = step !== MAP || fit(draft.mapping, seen);
  return (
    <Flex vertical gap={24}>
      <Steps current={step} items={[{ title: t("feeds.stepConnect") }, { title: t("feeds.stepLook") }, { title: t("feeds.stepMap") }, { title: t("feeds.stepPlan") }]} />
      {steps[step]}
      {step > CONNECT && (
        <Flex gap={8}>
          <Button onClick={() => move(step - 1)}>{t("feeds.back")}</Button>
          {step < PLAN ? (
            <Button type="primary" disabled={!ready} onClick={() => move(step + 1)}>{t("feeds.next")}</Button>
          ) : (
            <Button type="primary" disabled={!draft.name.trim() || planFault(draft.plan) !== undefined} loading={create.isPending} onClick={finish}>{t("feeds.createNow")}</Button>
          )}
        </Flex>
      )}
    </Flex>
  );
}

/** From a kind of source to a schedule: connect, look, say what columns mean, say when. */
export function Wizard({ onDone }: { onDone: (id: string) => void }) {
  const kinds = useFeedKinds();
  const catalogue = useCatalogue();
  return (
    <Card>
      <Loaded query={kinds}>
        {({ items }) => <Loaded query={catalogue}>{(known) => <Steered kinds={items} catalogue={known} onDone={onDone} />}</Loaded>}
      </Loaded>
    </Card>
  );
}
