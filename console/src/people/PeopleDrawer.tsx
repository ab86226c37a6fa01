import { Alert, Drawer, Flex } from "antd";
import type { Page, PersonSummary } from "../api/types";
import { useMay } from "../api/session";
import { useWords } from "../i18n";
import { Count } from "../ui/CountTag";
import { EmptyState } from "../ui/EmptyState";
import { usePaged } from "../ui/QueryTable";
import { PersonTable } from "./PersonTable";

export type PeopleOf = {
  title: string;
  total: number | null;
  queryKey: readonly unknown[];
  fetch: (cursor: string | undefined) => Promise<Page<PersonSummary>>;
};

/** The very people behind a number. */
export function PeopleDrawer({ of, onClose }: { of: PeopleOf | null; onClose: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const allowed = may("person.read");
  const query = usePaged(of?.queryKey ?? ["people", "none"], (cursor) => of!.fetch(cursor), {
    enabled: of !== null && allowed,
  });
  return (
    <Drawer
      open={of !== null}
      size={820}
      title={<>{of?.title} · <Count value={of?.total} suppressed={of?.total === null} /> {t("unit.people")}</>}
      onClose={onClose}
      destroyOnHidden
    >
      <Flex vertical gap={12}>
        {allowed ? (
          of && <PersonTable query={query} empty={<EmptyState title={t("people.none")} />} />
        ) : (
          <Alert type="info" showIcon title={t("people.notAllowed")} />
        )}
      </Flex>
    </Drawer>
  );
}
