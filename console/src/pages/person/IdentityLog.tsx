import { useCallerName } from "../../api/callers";
import { useWords } from "../../i18n";
import { EmptyState } from "../../ui/EmptyState";
import { Loaded } from "../../ui/Loaded";
import { ScrollTable } from "../../ui/ScrollTable";
import { Time } from "../../ui/Time";
import { useLog, type LogEntry, type Person } from "./queries";

/** The merges and splits that made this person, newest first. */
export function IdentityLog({ person }: { person: Person }) {
  const { t, tx } = useWords();
  const callers = useCallerName();
  const query = useLog(person.id);
  return (
    <Loaded query={query}>
      {({ items }) =>
        items.length === 0 ? (
          <EmptyState title={t("identityLog.none")} hint={t("identityLog.noneHint")} />
        ) : (
          <ScrollTable<LogEntry>
            rowKey={(e) => `${e.at}/${e.kind}/${e.kept}/${e.moved}`}
            dataSource={items}
            pagination={items.length > 20 ? { pageSize: 20 } : false}
            columns={[
              { title: t("identityLog.at"), key: "at", render: (_, e) => <Time at={e.at} /> },
              { title: t("identityLog.what"), key: "kind", render: (_, e) => tx(`identityLog.${e.kind}`, e.kind) },
              { title: t("identityLog.who"), key: "who", render: (_, e) => <span className="cl-mono">#{e.moved} → #{e.kept}</span> },
              { title: t("graph.evidence"), key: "n", render: (_, e) => t("identityLog.ties", { n: e.evidence.length }) },
              { title: t("identityLog.by"), key: "by", render: (_, e) => (e.by ? callers(e.by) : t("identityLog.rule")) },
            ]}
          />
        )
      }
    </Loaded>
  );
}
