import { Flex, Tag, Typography } from "antd";
import { useWords } from "../../i18n";
import { ScrollTable } from "../../ui/ScrollTable";
import type { Change } from "./queries";

const COLOURS = { added: "green", removed: "red", changed: "blue" } as const;

/** A list of changes: what was added, removed, and every member that differs. */
export function Changes({ changes }: { changes: Change[] }) {
  const { t, tx } = useWords();
  return (
    <ScrollTable<Change>
      aria-label={t("plan.changes")}
      rowKey={(c) => `${c.subject}/${c.name}`}
      dataSource={changes}
      locale={{ emptyText: t("plan.noChanges") }}
      pagination={{ pageSize: 10, hideOnSinglePage: true, showSizeChanger: false }}
      columns={[
        { title: t("plan.change"), key: "kind", width: 90, render: (_, c) => <Tag color={COLOURS[c.kind as keyof typeof COLOURS]}>{tx(`plan.kind.${c.kind}`, c.kind)}</Tag> },
        { title: t("plan.what"), key: "name", render: (_, c) => <>{tx(`plan.subject.${c.subject}`, c.subject)} <span className="cl-mono">{c.name}</span></> },
        {
          title: t("plan.members"),
          key: "members",
          render: (_, c) => (
            <Flex vertical>
              {c.members.slice(0, 8).map((m) => (
                <span key={m.path}>
                  <span className="cl-mono">{m.path}</span>: <Typography.Text delete={m.before !== null}>{m.before ?? "–"}</Typography.Text> → {m.after ?? "–"}
                </span>
              ))}
              {c.members.length > 8 && <span>{t("plan.moreMembers", { n: c.members.length - 8 })}</span>}
            </Flex>
          ),
        },
      ]}
    />
  );
}
