import { SearchOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Input, Select, Typography } from "antd";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useCatalogue } from "../../api/catalogue";
import { useWords } from "../../i18n";
import { PersonTable } from "../../people/PersonTable";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { usePaged } from "../../ui/QueryTable";
import { searchPersons, type Search } from "./queries";

const NAME = "name";

function read(params: URLSearchParams): Search {
  const identifier = params.get("identifier");
  if (identifier) return { identifier };
  const q = params.get("q");
  return q ? { q } : {};
}

/** Find people by an identifier or by name; the address bar holds the search. */
export default function Persons() {
  const { t, title } = useWords();
  const catalogue = useCatalogue();
  const [params, setParams] = useSearchParams();
  const search = read(params);
  const searching = !!(search.q ?? search.identifier);
  const [start = NAME, value = search.q ?? ""] = search.identifier
    ? [search.identifier.split(":")[0]!, search.identifier.slice(search.identifier.indexOf(":") + 1)]
    : [];
  const [kind, setKind] = useState(start);
  const [text, setText] = useState(value);
  const query = usePaged(["persons", search], () => searchPersons(search), { enabled: searching });
  const kinds = (catalogue.data?.identifier_types ?? []).filter((i) => i.entity === "person");
  const submit = () => {
    const word = text.trim();
    if (!word) return setParams({});
    setParams(kind === NAME ? { q: word } : { identifier: `${kind}:${word}` });
  };
  return (
    <Page title={t("nav.persons")} hint={t("persons.hint")}>
      <Flex vertical gap={16}>
        <Card>
          <form
            role="search"
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <Flex gap={8} wrap>
              <Select
                aria-label={t("persons.kind")}
                value={kind}
                onChange={setKind}
                showSearch={{ optionFilterProp: "label" }}
                options={[
                  { value: NAME, label: t("persons.byName") },
                  ...kinds.map((i) => ({ value: i.name, label: title(i.title, i.name) })),
                ]}
                style={{ width: 190 }}
              />
              <Input
                aria-label={t("persons.text")}
                placeholder={t("persons.placeholder")}
                value={text}
                onChange={(event) => setText(event.target.value)}
                allowClear
                style={{ flex: 1, maxWidth: 460 }}
              />
              <Button type="primary" htmlType="submit" icon={<SearchOutlined />}>{t("persons.search")}</Button>
            </Flex>
            <Typography.Text type="secondary" style={{ display: "block", marginTop: 8 }}>{t("persons.exact")}</Typography.Text>
          </form>
        </Card>
        <Card title={t("persons.results")}>
          {searching ? (
            <PersonTable query={query} empty={<EmptyState title={t("persons.none")} hint={t("persons.noneHint")} />} />
          ) : (
            <EmptyState
              title={t("persons.begin")}
              hint={t("persons.beginHint")}
              action={<Link to="/live"><Button>{t("first.liveGo")}</Button></Link>}
            />
          )}
        </Card>
      </Flex>
    </Page>
  );
}
