import { Button, Result } from "antd";
import { Link } from "react-router";
import { useWords } from "../i18n";
import { Page } from "../ui/Page";

export function NotFound() {
  const { t } = useWords();
  return (
    <Page title={t("notFound.title")}>
      <Result status="404" extra={<Link to="/"><Button type="primary">{t("notFound.home")}</Button></Link>} />
    </Page>
  );
}
