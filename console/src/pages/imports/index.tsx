import { InboxOutlined } from "@ant-design/icons";
import { Alert, AutoComplete, Button, Card, Descriptions, Flex, Input, Progress, Select, Skeleton, Space, Steps, Typography, Upload } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useCatalogue, type Catalogue } from "../../api/catalogue";
import { useSourceList } from "../../api/sources";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { EventSelect } from "../../rules/EventSelect";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState, useProblemText } from "../../ui/ErrorState";
import { bytes, number } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { FileFindings, type FileQuality } from "../../quality/FileFindings";
import { useImport, usePreview, useRun, type Column, type Mapping, type Preview, type Run } from "./queries";
import { ScrollTable } from "../../ui/ScrollTable";

const ROLES = ["identifier", "profile", "property", "entity", "time", "ignore"] as const;

function ColumnMeaning({ header, column, catalogue, onChange }: { header: string; column: Column; catalogue: Catalogue; onChange: (column: Column) => void }) {
  const { t, title } = useWords();
  const target = {
    identifier: { key: "type", options: catalogue.identifier_types.filter((i) => i.entity === "person") },
    entity: { key: "type", options: catalogue.entity_types },
    profile: { key: "field", options: catalogue.fields },
  }[column.as as string];
  const start = (as: Column["as"]): Column => {
    if (as === "property") return { as, name: header };
    if (as === "identifier") return { as, type: "mobile" };
    if (as === "entity") return { as, type: catalogue.entity_types[0]?.name ?? "" };
    return as === "profile" ? { as, field: catalogue.fields[0]?.name ?? "" } : { as };
  };
  return (
    <Space wrap size={6}>
      <Select
        aria-label={t("imports.role", { column: header })}
        value={column.as}
        onChange={(as) => onChange(start(as))}
        options={ROLES.map((role) => ({ value: role, label: t(`imports.${role}`) }))}
        style={{ width: 120 }}
      />
      {target && (
        <Select
          aria-label={t("imports.target", { column: header })}
          value={column[target.key as "type" | "field"]}
          onChange={(value) => onChange({ ...column, [target.key]: value })}
          showSearch={{ optionFilterProp: "label" }}
          options={target.options.map((one) => ({ value: one.name, label: title(one.title, one.name) }))}
          style={{ width: 170 }}
        />
      )}
      {column.as === "property" && (
        <Input aria-label={t("imports.target", { column: header })} value={column.name} onChange={(e) => onChange({ ...column, name: e.target.value })} style={{ width: 170 }} />
      )}
      {column.as === "time" && (
        <Input aria-label={t("imports.timeFormat")} value={column.format ?? "iso"} onChange={(e) => onChange({ ...column, format: e.target.value })} style={{ width: 170 }} />
      )}
    </Space>
  );
}

function MappingStep({ preview, mapping, catalogue, onChange }: { preview: Preview; mapping: Mapping; catalogue: Catalogue; onChange: (mapping: Mapping) => void }) {
  const { t } = useWords();
  const rows = preview.columns.map((column) => ({ header: column.name, sample: column.examples.slice(0, 3).join(" · ") }));
  return (
    <Flex vertical gap={16}>
      <Flex gap={8} align="center">
        <Typography.Text>{t("imports.event")}</Typography.Text>
        <EventSelect
          catalogue={catalogue}
          value={mapping.events[0]?.event ?? ""}
          width={260}
          onChange={(event) => onChange({ ...mapping, events: [{ ...mapping.events[0], event }, ...mapping.events.slice(1)] })}
        />
        {mapping.events.length > 1 && <Typography.Text type="secondary">{t("imports.moreEvents", { n: mapping.events.length - 1 })}</Typography.Text>}
      </Flex>
      <ScrollTable
        rowKey="header"
        dataSource={rows}
        scroll={{ x: "max-content", y: 460 }}
        columns={[
          { title: t("imports.column"), dataIndex: "header" },
          { title: t("imports.sample"), key: "sample", render: (_, r) => <Typography.Text type="secondary" ellipsis style={{ maxWidth: 320 }}>{r.sample || "–"}</Typography.Text> },
          {
            title: t("imports.meaning"),
            key: "meaning",
            render: (_, r) => (
              <ColumnMeaning
                header={r.header}
                column={mapping.columns[r.header] ?? { as: "ignore" }}
                catalogue={catalogue}
                onChange={(column) => onChange({ ...mapping, columns: { ...mapping.columns, [r.header]: column } })}
              />
            ),
          },
        ]}
      />
    </Flex>
  );
}

type Fault = { row: number; column: string; code: string; fatal: boolean };

function Faults({ faults }: { faults: Fault[] }) {
  const { t, tx } = useWords();
  return (
    <ScrollTable<Fault>
      aria-label={t("imports.rowErrors")}
      rowKey={(f) => `${f.row}/${f.column}/${f.code}`}
      dataSource={faults}
      pagination={faults.length > 20 ? { pageSize: 20 } : false}
      columns={[
        { title: t("imports.row"), dataIndex: "row", align: "right", width: 80 },
        { title: t("imports.column"), key: "column", render: (_, f) => f.column || "–" },
        { title: t("quarantine.reason"), key: "code", render: (_, f) => tx(`reason.${f.code}`, f.code) },
        { title: t("imports.effect"), key: "fatal", render: (_, f) => t(f.fatal ? "imports.rowLeft" : "imports.cellLeft") },
      ]}
    />
  );
}

function RunState({ run, dry }: { run: Run; dry: boolean }) {
  const { t, tx } = useWords();
  const counted = Object.entries(run.result ?? {}).filter(([, value]) => typeof value === "number");
  const faults = (run.result?.first ?? []) as Fault[];
  const quality = run.result?.quality as FileQuality | undefined;
  const over = ["done", "failed", "cancelled"].includes(run.state);
  return (
    <Flex vertical gap={16}>
      <Alert
        showIcon
        type={run.state === "failed" ? "error" : run.state === "done" ? "success" : "info"}
        title={`${t(dry ? "imports.dry" : "imports.run")} · ${tx(`jobState.${run.state}`, run.state)}`}
        description={run.message}
      />
      {!over && <Progress aria-label={t("jobs.progress")} percent={run.total ? Math.round((run.progress / run.total) * 100) : 0} status="active" />}
      {counted.length > 0 && (
        <Descriptions
          column={{ xs: 1, md: 3 }}
          items={counted.map(([name, value]) => ({ key: name, label: tx(`import.${name}`, name), children: <span className="cl-num">{number(value as number)}</span> }))}
        />
      )}
      {over && Number(run.result?.errors ?? 0) > 0 && <a href={`/api/imports/${run.id}/errors`} download>{t("imports.errorsFile")}</a>}
      {faults.length > 0 && <Faults faults={faults} />}
      {quality && <FileFindings quality={quality} />}
    </Flex>
  );
}

function Wizard({ catalogue }: { catalogue: Catalogue }) {
  const { t } = useWords();
  const text = useProblemText();
  const preview = usePreview();
  const start = useImport();
  const sources = useSourceList();
  const [file, setFile] = useState<File | null>(null);
  const [mapping, setMapping] = useState<Mapping | null>(null);
  const [source, setSource] = useState<string>();
  const [running, setRunning] = useState<{ id: string; dry: boolean } | null>(null);
  const run = useRun(running?.id ?? null);
  const step = running ? (running.dry ? 2 : 3) : mapping ? 1 : 0;
  const choose = (chosen: File) => {
    setFile(chosen);
    setRunning(null);
    preview.mutate(chosen, { onSuccess: (seen) => setMapping(seen.mapping as unknown as Mapping) });
  };
  const go = (dry: boolean) =>
    file && mapping && source &&
    start.mutate({ file, mapping, dry, source }, { onSuccess: (job) => setRunning({ id: job.id, dry }) });
  const options = (sources.data?.items ?? []).map((s) => ({ value: s.name, label: s.name }));
  return (
    <Card>
      <Flex vertical gap={20}>
        <Steps
          current={step}
          items={[{ title: t("imports.choose") }, { title: t("imports.map") }, { title: t("imports.dry") }, { title: t("imports.run") }]}
        />
        {!mapping && (
          <Upload.Dragger
            accept=".csv,.jsonl,.ndjson,.parquet,.xlsx,.txt"
            showUploadList={false}
            beforeUpload={(chosen) => {
              choose(chosen);
              return false;
            }}
          >
            <p className="ant-upload-drag-icon"><InboxOutlined /></p>
            <p className="ant-upload-text">{t("imports.drop")}</p>
            <p className="ant-upload-hint">{t("imports.formats")}</p>
          </Upload.Dragger>
        )}
        {preview.isPending && <Skeleton active />}
        {preview.isError && <ErrorState problem={preview.error} />}
        {file && mapping && preview.data && (
          <>
            <Flex gap={12} align="center" wrap>
              <Typography.Text strong>{file.name}</Typography.Text>
              <Typography.Text type="secondary">{bytes(file.size)}{preview.data.encoding && ` · ${preview.data.encoding}`}</Typography.Text>
              <Button size="small" onClick={() => { setMapping(null); setFile(null); setRunning(null); }}>{t("imports.other")}</Button>
            </Flex>
            {!running && <MappingStep preview={preview.data} mapping={mapping} catalogue={catalogue} onChange={setMapping} />}
            {running && run.data && <RunState run={run.data} dry={running.dry} />}
            {start.isError && <Alert type="error" showIcon title={text(start.error)} />}
            <Flex gap={8} align="center" wrap>
              <AutoComplete aria-label={t("imports.source")} placeholder={t("imports.source")} value={source} onChange={setSource} options={options} style={{ width: 240 }} />
              {running && <Button onClick={() => setRunning(null)}>{t("imports.back")}</Button>}
              <Button disabled={!source} loading={start.isPending} onClick={() => go(true)}>{t("imports.dry")}</Button>
              <Button type="primary" disabled={!source} loading={start.isPending} onClick={() => go(false)}>{t("imports.run")}</Button>
              <Link to="/jobs">{t("imports.jobs")}</Link>
            </Flex>
          </>
        )}
      </Flex>
    </Card>
  );
}

/** A file becomes events: choose, map, try, run. */
export default function Imports() {
  const { t } = useWords();
  const may = useMay();
  const catalogue = useCatalogue();
  return (
    <Page title={t("nav.imports")} hint={t("imports.hint")}>
      {may("job.write") ? (
        <Loaded query={catalogue} framed>{(known) => <Wizard catalogue={known} />}</Loaded>
      ) : (
        <Card><EmptyState title={t("imports.notAllowed")} /></Card>
      )}
    </Page>
  );
}
