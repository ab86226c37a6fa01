import { Card, Flex, Input, Segmented } from "antd";
import { useSearchParams, Link } from "react-router";
import { useCatalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { searchEntities, type EntitySummary } from "./queries";

function Found({ type, q }: { type: string; q: string }) {
  const { t } = useWords();
  const query = usePaged(["entities", type, q], (cursor) => searchEntities(type, q, cursor));
  return (
    <QueryTable<EntitySummary>
      query={query}
      label={t("nav.entities")}
      rowKey={(e) => e.id}
      empty={<EmptyState title={q ? t("entities.none") : t("entities.empty")} hint={t("entities.emptyHint")} />}
      columns={[
        {
          title: t("entity.key"),
          key: "key",
          width: 320,
          render: (_, e) => <Link to={`/entities/${type}/${e.id}`} className="cl-mono">{e.key}</Link>,
        },
        { title: t("person.number"), key: "number", render: (_, e) => <span className="cl-mono">#{e.number}</span> },
      ]}
    />
  );
}

/** Vehicles, dealers, advisors: whatever the packs declare beside people. */
export default function Entities() {
  const { t, title } = useWords();
  const catalogue = useCatalogue();
  const [params, setParams] = useSearchParams();
  return (
    <Page title={t("nav.entities")} hint={t("entities.hint")}>
      <Loaded query={catalogue} framed>
        {({ entity_types: types }) => {
          const type = params.get("type") ?? types[0]?.name;
          if (!type) return <EmptyState title={t("entities.noTypes")} hint={t("entities.noTypesHint")} />;
          return (
            <Card>
              <Flex gap={12} wrap style={{ marginBottom: 16 }}>
                <Segmented
                  value={type}
                  onChange={(next) => setParams({ type: next })}
                  options={types.map((e) => ({ value: e.name, label: title(e.title, e.name) }))}
                />
                <Input.Search
                  key={type}
                  aria-label={t("entities.search")}
                  placeholder={t("entities.search")}
                  defaultValue={params.get("q") ?? ""}
                  onSearch={(q) => setParams(q ? { type, q } : { type })}
                  allowClear
                  style={{ width: 320 }}
                />
              </Flex>
              <Found type={type} q={params.get("q") ?? ""} />
            </Card>
          );
        }}
      </Loaded>
    </Page>
  );
}
