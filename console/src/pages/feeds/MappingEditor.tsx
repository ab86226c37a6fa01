import { Alert, AutoComplete, Flex, Form, Input, Segmented, Select, Space, Switch, Tag, Typography } from "antd";
import { useState } from "react";
import type { Catalogue } from "../../api/catalogue";
import { useWords, type Key } from "../../i18n";
import { JsonInput } from "../../ui/JsonInput";
import { ScrollTable } from "../../ui/ScrollTable";
import {
  ROLES, TYPES, asField, asRole, concernsOf, isObject, isRows, linesOf, personIdentifiers, withColumn, withEvent, BLOCKING,
  type Column, type Document, type Line, type Role, type RowMapping, type SeenColumn,
} from "./mapping";

type Seen = { columns: SeenColumn[]; sample: Document[] };
type Cell = { line: Line; catalogue: Catalogue; onChange: (column: Column) => void };

function Target({ line, catalogue, onChange }: Cell) {
  const { t, title } = useWords();
  const column = line.column;
  const label = t("imports.target", { column: line.header });
  const choose = (value: string | undefined, options: { name: string; title: { [language: string]: string } }[], pick: (name: string) => void) => (
    <Select
      aria-label={label}
      value={value || undefined}
      onChange={pick}
      showSearch={{ optionFilterProp: "label" }}
      options={options.map((one) => ({ value: one.name, label: title(one.title, one.name) }))}
      style={{ width: 180 }}
    />
  );
  if (column?.as === "identifier") return choose(column.type, personIdentifiers(catalogue), (type) => onChange({ as: "identifier", type }));
  if (column?.as === "entity") return choose(column.type, catalogue.entity_types, (type) => onChange({ as: "entity", type }));
  if (column?.as === "profile") return choose(column.field, catalogue.fields, (field) => onChange(asField(field, catalogue)));
  if (column?.as !== "property") return null;
  return (
    <Input
      aria-label={label}
      value={column.name}
      status={column.name?.trim() ? undefined : "error"}
      maxLength={200}
      onChange={(e) => onChange({ ...column, name: e.target.value })}
      style={{ width: 180 }}
    />
  );
}

/** What a role asks besides its target: a namespace, a type, the form of a time. */
function Extra({ line, catalogue, onChange }: Cell) {
  const { t, tx } = useWords();
  const column = line.column;
  if (column?.as === "identifier") {
    const named = catalogue.identifier_types.find((one) => one.name === column.type)?.namespaced || column.namespace;
    return named ? (
      <Input
        aria-label={t("feeds.namespace", { column: line.header })}
        placeholder={t("explain.namespace")}
        value={column.namespace ?? ""}
        onChange={(e) => onChange({ ...column, namespace: e.target.value })}
        style={{ width: 180 }}
      />
    ) : null;
  }
  const typed = column?.as === "property" || column?.as === "profile";
  const timed = column?.as === "time" || (typed && (column.type === "date" || column.type === "datetime"));
  return (
    <>
      {typed && (
        <Select
          aria-label={t("feeds.type", { column: line.header })}
          value={column.type ?? "string"}
          onChange={(type) => onChange({ ...column, type })}
          options={TYPES.map((type) => ({ value: type, label: tx(`valueType.${type}`, type) }))}
          style={{ width: 110 }}
        />
      )}
      {column && timed && (
        <AutoComplete
          aria-label={t("feeds.format", { column: line.header })}
          placeholder={t("imports.timeFormat")}
          value={column.format ?? ""}
          onChange={(format: string) => onChange({ ...column, format })}
          options={["iso", "s", "ms", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d"].map((value) => ({ value }))}
          style={{ width: 170 }}
        />
      )}
    </>
  );
}

function Columns({ mapping, lines, catalogue, wrong, onChange }: { mapping: RowMapping; lines: Line[]; catalogue: Catalogue; wrong?: string; onChange: (mapping: RowMapping) => void }) {
  const { t } = useWords();
  const roles = [
    { value: "", label: t(mapping.keep_unmapped ? "feeds.asItIs" : "feeds.unmapped") },
    ...ROLES.map((role) => ({ value: role, label: t(`imports.${role}`) })),
  ];
  return (
    <ScrollTable<Line>
      aria-label={t("feeds.mapping")}
      rowKey="header"
      dataSource={lines}
      scroll={{ x: "max-content", y: 480 }}
      columns={[
        {
          title: t("imports.column"),
          key: "header",
          render: (_, line) => (
            <Flex vertical>
              <Space size={6}>
                <Typography.Text strong type={wrong === line.header ? "danger" : undefined}>{line.header}</Typography.Text>
                {line.gone && <Tag color="warning" variant="outlined">{t("feeds.notThere")}</Tag>}
              </Space>
              <Typography.Text type="secondary" className="cl-mono">{line.type}</Typography.Text>
            </Flex>
          ),
        },
        {
          title: t("imports.sample"),
          key: "sample",
          render: (_, line) => <Typography.Text type="secondary" ellipsis style={{ maxWidth: 220 }}>{line.examples.join(" · ") || "–"}</Typography.Text>,
        },
        {
          title: t("imports.meaning"),
          key: "meaning",
          render: (_, line) => {
            const change = (column: Column | undefined) => onChange(withColumn(mapping, line.header, column));
            return (
              <Space wrap size={6}>
                <Select<Role | "">
                  aria-label={t("imports.role", { column: line.header })}
                  value={line.column?.as ?? ""}
                  onChange={(role) => change(asRole(line, role, catalogue))}
                  options={roles as { value: Role | ""; label: string }[]}
                  style={{ width: 180 }}
                />
                <Target line={line} catalogue={catalogue} onChange={change} />
                <Extra line={line} catalogue={catalogue} onChange={change} />
              </Space>
            );
          },
        },
      ]}
    />
  );
}

function Whole({ mapping, lines, catalogue, onChange }: { mapping: RowMapping; lines: Line[]; catalogue: Catalogue; onChange: (mapping: RowMapping) => void }) {
  const { t, title } = useWords();
  const events = mapping.events ?? [];
  const names = catalogue.event_types.map((one) => ({ value: one.name, label: `${title(one.title, one.name)} · ${one.name}` }));
  return (
    <Flex gap={16} wrap>
      <Form.Item label={t("feeds.event")} extra={events.length > 1 ? t("imports.moreEvents", { n: events.length - 1 }) : t("feeds.eventHint")} layout="vertical" style={{ margin: 0, width: 260 }}>
        <AutoComplete
          aria-label={t("feeds.event")}
          value={events[0]?.event ?? "record_imported"}
          status={events[0]?.event.trim() === "" ? "error" : undefined}
          onChange={(event: string) => onChange(withEvent(mapping, event))}
          options={names}
          showSearch={{ filterOption: (text, option) => String(option?.label ?? "").toLowerCase().includes(text.toLowerCase()) }}
        />
      </Form.Item>
      <Form.Item label={t("feeds.key")} extra={t("feeds.keyHint")} layout="vertical" style={{ margin: 0, width: 260 }}>
        <Select
          mode="multiple"
          aria-label={t("feeds.key")}
          value={mapping.key ?? []}
          onChange={(key: string[]) => onChange({ ...mapping, key })}
          options={lines.map((line) => ({ value: line.header, label: line.header }))}
        />
      </Form.Item>
      <Form.Item label={t("feeds.zone")} extra={t("feeds.zoneHint")} layout="vertical" style={{ margin: 0, width: 200 }}>
        <Input aria-label={t("feeds.zone")} value={mapping.zone ?? "Asia/Shanghai"} onChange={(e) => onChange({ ...mapping, zone: e.target.value })} />
      </Form.Item>
      <Form.Item label={t("feeds.keep")} extra={t("feeds.keepHint")} layout="vertical" style={{ margin: 0, width: 240 }}>
        <Switch aria-label={t("feeds.keep")} checked={mapping.keep_unmapped ?? false} onChange={(keep_unmapped) => onChange({ ...mapping, keep_unmapped })} />
      </Form.Item>
    </Flex>
  );
}

type Props = { value: unknown; seen: Seen; catalogue: Catalogue; wrong?: string; onChange: (value: unknown) => void };

/** What every column means: a table, or the same document as JSON. */
export function MappingEditor({ value, seen, catalogue, wrong, onChange }: Props) {
  const { t } = useWords();
  const [view, setView] = useState<"table" | "json">("table");
  const rows = isRows(value) ? value : null;
  const lines = rows ? linesOf(rows, seen.columns, seen.sample) : [];
  const table = rows !== null && view === "table";
  return (
    <Flex vertical gap={16}>
      <Segmented<"table" | "json">
        aria-label={t("feeds.view")}
        style={{ alignSelf: "flex-start" }}
        value={table ? "table" : "json"}
        onChange={setView}
        options={[{ value: "table", label: t("feeds.viewTable"), disabled: rows === null }, { value: "json", label: "JSON" }]}
      />
      {table ? (
        <>
          <Whole mapping={rows} lines={lines} catalogue={catalogue} onChange={onChange} />
          <Columns mapping={rows} lines={lines} catalogue={catalogue} wrong={wrong} onChange={onChange} />
        </>
      ) : (
        <>
          {rows === null && <Typography.Text type="secondary">{t(isObject(value) ? "feeds.byPaths" : "form.json")}</Typography.Text>}
          <JsonInput label={t("feeds.mapping")} value={value} onChange={onChange} />
        </>
      )}
      {rows && concernsOf(rows, lines).map((concern) => (
        <Alert key={concern} showIcon type={BLOCKING.includes(concern) ? "error" : "warning"} title={t(`feeds.concern.${concern}` as Key)} />
      ))}
    </Flex>
  );
}

/** Whether a value may be saved as a mapping. */
export function fit(value: unknown, seen: Seen): value is Document {
  if (!isRows(value)) return isObject(value);
  return !concernsOf(value, linesOf(value, seen.columns, seen.sample)).some((concern) => BLOCKING.includes(concern));
}
