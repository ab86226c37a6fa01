import { DeleteOutlined, PauseOutlined, PlayCircleOutlined, SaveOutlined, SendOutlined } from "@ant-design/icons";
import { Alert, App, Button, Card, DatePicker, Flex, Form, Input, Skeleton, Tabs, Tag } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { Suspense, lazy, useState } from "react";
import { useLocation, useNavigate, useParams, useSearchParams } from "react-router";
import { useCatalogue, type Catalogue } from "../../api/catalogue";
import { useMay } from "../../api/session";
import { useWords, type Key } from "../../i18n";
import { ConfirmTyped } from "../../ui/ConfirmTyped";
import { dayKey } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { useToast } from "../../ui/toast";
import { insert, newGraph, remove, replace, whole, type Graph } from "./graph";
import { NodePanel } from "./NodePanel";
import { useAct, useJourney, useRemove, useSave, useSegmentNames, type Journey } from "./queries";
import { Sends } from "./Sends";

const COLOURS: Record<string, string> = { live: "success", paused: "warning", stopped: "error" };

const Canvas = lazy(() => import("./Canvas"));

/** What publishing still needs, as the server judges it (4W1H). */
function missing(graph: Graph): string[] {
  const sends = graph.nodes.filter((node) => node.kind === "send");
  const entry = graph.nodes.find((node) => node.kind === "entry_segment");
  const filled = sends.every((s) => Object.values(s.template).some((text) => text.text.trim() || text.html.trim()));
  const said: Record<string, boolean> = {
    goal: graph.goal.trim() !== "",
    time: graph.period !== null,
    channel: sends.length > 0 && sends.every((s) => s.channel !== ""),
    person: !!entry?.segment,
    content: sends.length > 0 && filled,
  };
  return Object.keys(said).filter((name) => !said[name]);
}

function About({ name, graph, editable, onName, onGraph }: { name: string; graph: Graph; editable: boolean; onName: (name: string) => void; onGraph: (graph: Graph) => void }) {
  const { t } = useWords();
  const day = (text: string | null | undefined) => (text ? dayjs(dayKey(text)) : null);
  const midnight = (at: Dayjs) => `${at.format("YYYY-MM-DD")}T00:00:00+08:00`;
  const period = (from: Dayjs | null, to: Dayjs | null) =>
    onGraph({ ...graph, period: from && { from: midnight(from), to: to && midnight(to) } });
  return (
    <Card>
      <Form layout="vertical" component="div" disabled={!editable}>
        <div className="cl-grid" style={{ gridTemplateColumns: "repeat(auto-fit, minmax(260px, 1fr))" }}>
          <Form.Item label={t("journey.name")} htmlFor="journey-name" style={{ margin: 0 }}>
            <Input id="journey-name" value={name} maxLength={100} onChange={(e) => onName(e.target.value)} />
          </Form.Item>
          <Form.Item label={t("journey.goal")} htmlFor="journey-goal" style={{ margin: 0 }}>
            <Input id="journey-goal" value={graph.goal} maxLength={500} placeholder={t("journey.goalPlaceholder")} onChange={(e) => onGraph({ ...graph, goal: e.target.value })} />
          </Form.Item>
          <Form.Item label={t("journey.period")} htmlFor="journey-from" style={{ margin: 0 }}>
            <Flex gap={8}>
              <DatePicker id="journey-from" value={day(graph.period?.from)} onChange={(from) => period(from, day(graph.period?.to))} style={{ flex: 1 }} />
              <DatePicker
                aria-label={t("journey.periodEnd")}
                placeholder={t("journey.periodEnd")}
                value={day(graph.period?.to)}
                minDate={day(graph.period?.from) ?? undefined}
                disabled={!editable || !graph.period}
                onChange={(to) => period(day(graph.period?.from), to)}
                style={{ flex: 1 }}
              />
            </Flex>
          </Form.Item>
        </div>
      </Form>
    </Card>
  );
}

function Publish({ journey, graph, dirty }: { journey: Journey; graph: Graph; dirty: boolean }) {
  const { t } = useWords();
  const toast = useToast();
  const act = useAct(journey.id);
  const segments = useSegmentNames().data?.items ?? [];
  const [open, setOpen] = useState(false);
  const entry = graph.nodes.find((node) => node.kind === "entry_segment");
  const segment = segments.find((s) => s.id === entry?.segment);
  const people = segment?.suppressed ? "<10" : String(segment?.count ?? "–");
  return (
    <>
      <Button type="primary" icon={<SendOutlined />} disabled={dirty || missing(graph).length > 0} onClick={() => setOpen(true)}>
        {t("journey.publish")}
      </Button>
      <ConfirmTyped
        open={open}
        title={t("journey.publishTitle", { name: journey.name })}
        word={journey.name}
        consequence={
          entry?.audience === "all"
            ? t("journey.publishAll", { segment: segment?.name ?? "", n: people })
            : t("journey.publishNew", { segment: segment?.name ?? "", n: people })
        }
        okText={t("journey.publish")}
        busy={act.isPending}
        problem={act.error}
        onCancel={() => setOpen(false)}
        onConfirm={() =>
          act.mutate("publish", {
            onSuccess: () => {
              setOpen(false);
              toast.done(t("journey.published"));
            },
          })
        }
      />
    </>
  );
}

function Actions({ journey, graph, dirty }: { journey: Journey; graph: Graph; dirty: boolean }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const { modal } = App.useApp();
  const go = useNavigate();
  const act = useAct(journey.id);
  const drop = useRemove(journey.id);
  const ask = () =>
    modal.confirm({
      title: t("journey.removeAsk", { name: journey.name }),
      okText: t("form.delete"),
      okButtonProps: { danger: true },
      cancelText: t("form.cancel"),
      onOk: () => drop.mutateAsync().then(() => void go("/journeys"), toast.refused),
    });
  return (
    <>
      {may("journey.send") && journey.status === "live" && (
        <Button icon={<PauseOutlined />} loading={act.isPending} onClick={() => act.mutate("pause", { onError: toast.refused })}>{t("journey.pause")}</Button>
      )}
      {may("journey.send") && journey.status === "paused" && (
        <Button icon={<PlayCircleOutlined />} loading={act.isPending} onClick={() => act.mutate("resume", { onError: toast.refused })}>{t("journey.resume")}</Button>
      )}
      {may("journey.send") && <Publish journey={journey} graph={graph} dirty={dirty} />}
      {may("journey.write") && <Button danger icon={<DeleteOutlined />} aria-label={t("form.delete")} title={t("form.delete")} onClick={ask} />}
    </>
  );
}

function Editor({ journey, start, catalogue }: { journey: Journey | undefined; start: Graph; catalogue: Catalogue }) {
  const { t, tx, language } = useWords();
  const may = useMay();
  const toast = useToast();
  const go = useNavigate();
  const save = useSave(journey);
  const [name, setName] = useState(journey?.name ?? "");
  const [graph, setGraph] = useState(start);
  const kept = (useLocation().state as { chosen?: string } | null)?.chosen;
  const [chosen, setChosen] = useState(kept && start.nodes.some((one) => one.id === kept) ? kept : start.entry);
  const [dirty, setDirty] = useState(false);
  const editable = may("journey.write");
  const node = graph.nodes.find((one) => one.id === chosen);
  const lacks = missing(graph);
  const edit = (next: Graph) => {
    setGraph(next);
    setDirty(true);
  };
  const submit = () =>
    save.mutate({ name: name.trim(), graph }, {
      onSuccess: (saved) => {
        setDirty(false);
        toast.done(t("builder.saved"));
        if (!journey) void go(`/journeys/${saved.id}`, { replace: true, state: { chosen } });
      },
      onError: toast.refused,
    });
  return (
    <Page
      title={journey?.name ?? t("journeys.create")}
      hint={journey && <><Tag color={COLOURS[journey.status]} variant="outlined" style={{ marginInlineEnd: 6 }}>{tx(`journey.${journey.status}`, journey.status)}</Tag>{journey.version > 0 && `${t("journeys.version")} ${journey.version}`}</>}
      parent={{ to: "/journeys", label: t("nav.journeys") }}
      extra={
        <>
          {editable && (
            <Button icon={<SaveOutlined />} disabled={!name.trim() || (!!journey && !dirty)} loading={save.isPending} onClick={submit}>{t("form.save")}</Button>
          )}
          {journey && <Actions journey={journey} graph={graph} dirty={dirty} />}
        </>
      }
    >
      <Flex vertical gap={16}>
        {lacks.length > 0 ? (
          <Alert type="info" showIcon title={t("journey.missing", { what: lacks.map((one) => t(`missing.${one}` as Key)).join(language === "zh" ? "、" : ", ") })} />
        ) : (
          dirty && <Alert type="info" showIcon title={t("journey.unsaved")} />
        )}
        <About
          name={name}
          graph={graph}
          editable={editable}
          onName={(next) => {
            setName(next);
            setDirty(true);
          }}
          onGraph={edit}
        />
        <Tabs
          items={[
            {
              key: "canvas",
              label: t("journey.design"),
              children: (
                <div className="cl-grid cl-two" style={{ alignItems: "start" }}>
                  <Card styles={{ body: { padding: 0 } }}>
                    <Suspense fallback={<Skeleton active paragraph={{ rows: 8 }} style={{ padding: 24 }} />}>
                      <Canvas
                        graph={graph}
                        chosen={chosen}
                        editable={editable}
                        onChoose={setChosen}
                        onInsert={(on, kind) => {
                          const made = insert(graph, on, kind);
                          edit(made.graph);
                          setChosen(made.id);
                        }}
                      />
                    </Suspense>
                  </Card>
                  {node && (
                    <NodePanel
                      key={node.id}
                      node={node}
                      journey={journey?.id}
                      dirty={dirty}
                      catalogue={catalogue}
                      editable={editable}
                      onChange={(next) => edit(replace(graph, next))}
                      onRemove={() => {
                        edit(remove(graph, node.id));
                        setChosen(graph.entry);
                      }}
                    />
                  )}
                </div>
              ),
            },
            ...(journey ? [{ key: "sends", label: t("journey.sends"), children: <Card><Sends journey={journey.id} /></Card> }] : []),
          ]}
        />
      </Flex>
    </Page>
  );
}

export default function JourneyPage() {
  const { t } = useWords();
  const id = useParams().id!;
  const [params] = useSearchParams();
  const catalogue = useCatalogue();
  const query = useJourney(id);
  if (id !== "new" && !query.data) {
    return <Page title={t("nav.journeys")} parent={{ to: "/journeys", label: t("nav.journeys") }}><Loaded query={query} rows={10} framed>{() => null}</Loaded></Page>;
  }
  return (
    <Loaded query={catalogue} framed>
      {(known) => (
        <Editor
          key={query.data?.id ?? "new"}
          journey={id === "new" ? undefined : query.data}
          start={id === "new" || !query.data ? newGraph(params.get("segment") ?? "") : whole(query.data.graph)}
          catalogue={known}
        />
      )}
    </Loaded>
  );
}
