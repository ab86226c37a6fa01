import { Card, Descriptions, Flex, Tabs, Tag, Typography } from "antd";
import { Link, useParams } from "react-router";
import { useWords } from "../../i18n";
import { short } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { Time } from "../../ui/Time";
import { Actions } from "./Actions";
import { Attributes } from "./Attributes";
import { Consents } from "./Consents";
import { IdentityGraph } from "./IdentityGraph";
import { IdentityLog } from "./IdentityLog";
import { Identifiers } from "./Identifiers";
import { RelationTable, ofPerson } from "../../people/RelationTable";
import { Timeline } from "./Timeline";
import { usePerson, type Person } from "./queries";

function Header({ person }: { person: Person }) {
  const { t } = useWords();
  return (
    <Card>
      <Descriptions
        size="small"
        column={{ xs: 1, md: 2, xl: 4 }}
        items={[
          { key: "n", label: t("person.number"), children: <span className="cl-mono">#{person.number}</span> },
          { key: "i", label: t("person.identifiers"), children: person.identifiers.length },
          { key: "f", label: t("person.firstSeen"), children: <Time at={person.first_seen_at} /> },
          { key: "l", label: t("person.lastSeen"), children: <Time at={person.last_seen_at} /> },
        ]}
      />
      <Flex gap={6} wrap style={{ marginTop: 8 }} align="center">
        <Typography.Text type="secondary">{t("nav.segments")}</Typography.Text>
        {person.segments.length === 0 && <span>–</span>}
        {person.segments.map((s) => (
          <Link key={s.id} to={`/segments/${s.id}`}><Tag color="blue" variant="outlined">{s.name}</Tag></Link>
        ))}
        {person.merged_from.length > 0 && (
          <Tag variant="outlined">{t("person.mergedFrom", { n: person.merged_from.length })}</Tag>
        )}
      </Flex>
    </Card>
  );
}

/** Everything known about one person. */
export default function PersonPage() {
  const { t } = useWords();
  const id = useParams().id!;
  const query = usePerson(id);
  const name = query.data?.name || short(query.data?.display ?? "") || t("person.anonymous");
  return (
    <Page
      title={query.data ? name : t("nav.persons")}
      parent={{ to: "/persons", label: t("nav.persons") }}
      extra={query.data && <Actions person={query.data} />}
    >
      <Loaded query={query} rows={10} framed>
        {(person) => (
          <Flex vertical gap={16}>
            <Header person={person} />
            <div className="cl-grid cl-profile">
              <Flex vertical gap={16}>
                <Attributes person={person} />
                <Consents person={person} />
              </Flex>
              <Card styles={{ body: { paddingTop: 4 } }}>
                <Tabs
                  destroyOnHidden
                  items={[
                    { key: "timeline", label: t("person.timeline"), children: <Timeline person={person} /> },
                    {
                      key: "relations",
                      label: `${t("person.relations")} (${person.relations.length})`,
                      children: <RelationTable relations={person.relations.map(ofPerson)} />,
                    },
                    {
                      key: "identifiers",
                      label: `${t("person.identifiers")} (${person.identifiers.length})`,
                      children: <Identifiers person={person} />,
                    },
                    { key: "graph", label: t("person.graph"), children: <IdentityGraph person={person} /> },
                    { key: "log", label: t("identityLog.title"), children: <IdentityLog person={person} /> },
                  ]}
                />
              </Card>
            </div>
          </Flex>
        )}
      </Loaded>
    </Page>
  );
}
