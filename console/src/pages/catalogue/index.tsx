import { Card, Flex, Input, Tabs, Tag, Typography } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useCatalogue, type Catalogue, type EventType, type Field } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { ScrollTable } from "../../ui/ScrollTable";

function Events({ catalogue, text }: { catalogue: Catalogue; text: string }) {
  const { t, tx, title } = useWords();
  const rows = catalogue.event_types.filter((e) => `${e.name} ${title(e.title)}`.toLowerCase().includes(text));
  return (
    <ScrollTable<EventType>
      rowKey="name"
      dataSource={rows}
      pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
      expandable={{
        rowExpandable: (e) => e.properties.length > 0,
        expandedRowRender: (e) => (
          <Flex gap={6} wrap>
            {e.properties.map((p) => (
              <Tag key={p.name} variant="outlined">{title(p.title, p.name)} <span className="cl-mono">{p.name}</span></Tag>
            ))}
          </Flex>
        ),
      }}
      columns={[
        { title: t("event.event"), key: "title", render: (_, e) => <Link to={`/live?event=${e.name}`}>{title(e.title, e.name)}</Link> },
        { title: t("catalogue.name"), key: "name", render: (_, e) => <span className="cl-mono">{e.name}</span> },
        { title: t("catalogue.stage"), key: "stage", render: (_, e) => tx(`stage.${e.stage}`, e.stage || "–") },
        { title: t("catalogue.properties"), key: "n", align: "right", render: (_, e) => e.properties.length },
      ]}
    />
  );
}

function Fields({ catalogue, text }: { catalogue: Catalogue; text: string }) {
  const { t, tx, title } = useWords();
  const rows = catalogue.fields.filter((f) => `${f.name} ${title(f.title)}`.toLowerCase().includes(text));
  return (
    <ScrollTable<Field>
      rowKey="name"
      dataSource={rows}
      pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
      columns={[
        { title: t("rule.field"), key: "title", render: (_, f) => title(f.title, f.name) },
        { title: t("catalogue.name"), key: "name", render: (_, f) => <span className="cl-mono">{f.name}</span> },
        { title: t("catalogue.type"), key: "type", render: (_, f) => tx(`valueType.${f.type}`, f.type) },
        { title: t("catalogue.class"), key: "class", render: (_, f) => tx(`class.${f.class}`, f.class) },
      ]}
    />
  );
}

/** What the installation knows: events with their properties, fields, identifiers. */
export default function CataloguePage() {
  const { t, title } = useWords();
  const query = useCatalogue();
  const [text, setText] = useState("");
  const word = text.trim().toLowerCase();
  return (
    <Page title={t("nav.catalogue")} hint={t("catalogue.hint")}>
      <Card>
        <Input aria-label={t("catalogue.search")} placeholder={t("catalogue.search")} allowClear value={text} onChange={(e) => setText(e.target.value)} style={{ width: 320 }} />
        <Loaded query={query}>
          {(catalogue) => (
            <Tabs
              items={[
                { key: "events", label: `${t("catalogue.events")} (${catalogue.event_types.length})`, children: <Events catalogue={catalogue} text={word} /> },
                { key: "fields", label: `${t("catalogue.fields")} (${catalogue.fields.length})`, children: <Fields catalogue={catalogue} text={word} /> },
                {
                  key: "identifiers",
                  label: `${t("person.identifiers")} (${catalogue.identifier_types.length})`,
                  children: (
                    <Flex gap={8} wrap>
                      {catalogue.identifier_types.map((i) => (
                        <Tag key={i.name} variant="outlined">{title(i.title, i.name)} <Typography.Text type="secondary" className="cl-mono">{i.name}</Typography.Text></Tag>
                      ))}
                    </Flex>
                  ),
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
    </Page>
  );
}
