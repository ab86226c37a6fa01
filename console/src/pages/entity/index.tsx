import { Card, Descriptions, Flex } from "antd";
import { useParams } from "react-router";
import { useCatalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { RelationTable, ofEntity } from "../../people/RelationTable";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { useEntity } from "./queries";

/** One vehicle, dealer or advisor, with everyone related to it. */
export default function EntityPage() {
  const { t, title } = useWords();
  const { type = "", id = "" } = useParams();
  const types = useCatalogue().data?.entity_types;
  const query = useEntity(type, id);
  const kind = title(types?.find((e) => e.name === type)?.title, type);
  const name = query.data?.entity.key;
  return (
    <Page title={name ? `${kind} ${name}` : kind} parent={{ to: `/entities?type=${type}`, label: kind }}>
      <Loaded query={query}>
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
          </Flex>
        )}
      </Loaded>
    </Page>
  );
}
