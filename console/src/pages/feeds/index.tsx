import { PlusOutlined } from "@ant-design/icons";
import { Button, Card } from "antd";
import { useSearchParams } from "react-router";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { Page } from "../../ui/Page";
import { FeedDrawer } from "./FeedDrawer";
import { FeedTable } from "./FeedTable";
import { Wizard } from "./Wizard";

/** Sources that carloop reads by itself; the address says which one is open (`?feed=`), or `?new`. */
export default function Feeds() {
  const { t } = useWords();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  if (params.has("new") && may("source.write")) {
    const cancel = <Button onClick={() => setParams({})}>{t("form.cancel")}</Button>;
    return (
      <Page title={t("feeds.create")} hint={t("feeds.createHint")} parent={{ to: "/feeds", label: t("nav.feeds") }} extra={cancel}>
        <Wizard onDone={(feed) => setParams({ feed })} />
      </Page>
    );
  }
  const create = may("source.write") && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setParams({ new: "" })}>{t("feeds.create")}</Button>
  );
  return (
    <Page title={t("nav.feeds")} hint={t("feeds.hint")} extra={create}>
      <Card>
        <FeedTable create={create} onOpen={(feed) => setParams({ feed })} />
      </Card>
      <FeedDrawer id={params.get("feed")} onClose={() => setParams({})} />
    </Page>
  );
}
