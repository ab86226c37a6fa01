import { Card, Descriptions, Flex } from "antd";
import { useParams } from "react-router";
import { useCatalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { RelationTable, ofEntity } from "../../people/RelationTable";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { useEntity } from "./queries";
import { Timeline } from "./Timeline";

/** One vehicle, dealer or advisor, with everyone related to it and what happened to it. */
export default function EntityPage() {
  const { t, title } = useWords();
  const { type = "", id = "" } = useParams();
  const types = useCatalogue().data?.entity_types;
  const query = useEntity(type, id);
  const kind = types ? title(types.find((e) => e.name === type)?.title, type) : t("nav.entities");
  const name = query.data?.entity.key;
  return (
    <Page title={name ? `${kind} ${name}` : kind} parent={{ to: `/entities?type=${type}`, label: kind }}>
      <Loaded query={query} framed>
        {({ entity, relations }) => (
          <Flex vertical gap={16}>
            <Card>
              <Descriptions
                size="small"
                column={{ xs: 1, md: 2, xl: 3 }}
                items={[
                  { key: "key", label: t("entity.key"), children: <span className="cl-mono">{entity.key}</span> },
                  { key: "n", label: t("person.number"), children: <span className="cl-mono">#{entity.number}</span> },
                ]}
              />
            </Card>
            <Card title={t("person.relations")}><RelationTable relations={relations.map(ofEntity)} /></Card>
            <Card title={t("person.timeline")}><Timeline type={type} id={id} /></Card>
          </Flex>
        )}
      </Loaded>
    </Page>
  );
}
