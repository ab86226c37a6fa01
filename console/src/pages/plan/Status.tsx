import { Tag } from "antd";
import { useWords } from "../../i18n";
import { ANYWHERE, type Status } from "./queries";

const COLOURS: Record<Status, string> = { design: "default", test: "blue", accept: "gold", live: "green", retired: "red" };

/** How far a point has come. */
export function StatusTag({ status }: { status: Status }) {
  const { t } = useWords();
  return <Tag color={COLOURS[status]}>{t(`plan.status.${status}`)}</Tag>;
}

/** The touchpoint's name, `*` in words. */
export function usePlaceName() {
  const { t } = useWords();
  return (name: string) => (name === ANYWHERE ? t("plan.anywhere") : name);
}
