import { ReloadOutlined } from "@ant-design/icons";
import { App, Button, Card, Drawer, Flex, Tag, Typography } from "antd";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { useEventWords } from "../../people/event";
import { Json } from "../../ui/Code";
import { EmptyState } from "../../ui/EmptyState";
import { number } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { QueryTable, usePaged } from "../../ui/QueryTable";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { useSourceName } from "../../api/sources";
import { fetchRows, useReplay, useSummary, type Filter, type Kind, type Row } from "./queries";
import { ScrollTable } from "../../ui/ScrollTable";

function Summary({ filter, onFilter }: { filter: Filter; onFilter: (filter: Filter) => void }) {
  const { t, tx } = useWords();
  const query = useSummary();
  const names = useSourceName();
  const words = useEventWords();
  return (
    <Card title={t("quarantine.summary")}>
      <Loaded query={query} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title={t("quarantine.empty")} hint={t("quarantine.emptyHint")} />
          ) : (
            <ScrollTable<Kind>
              rowKey={(k) => `${k.source}/${k.code}/${k.event}`}
              dataSource={items}
              columns={[
                {
                  title: t("quarantine.reason"),
                  key: "code",
                  render: (_, k) => (
                    <Button type="link" size="small" style={{ paddingInline: 0 }} onClick={() => onFilter({ ...filter, code: filter.code === k.code ? "" : k.code })}>
                      {tx(`reason.${k.code}`, k.code)}
                    </Button>
                  ),
                },
                { title: t("event.event"), key: "event", render: (_, k) => (k.event ? words.event(k.event) : "–") },
                { title: t("event.source"), key: "source", render: (_, k) => names(k.source) },
                { title: t("event.count"), key: "count", align: "right", render: (_, k) => <span className="cl-num">{number(k.count)}</span> },
                { title: t("quarantine.last"), key: "last", render: (_, k) => <Time at={k.last_at} relative /> },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

/** Events that could not be taken, why, and the way to try them again. */
export default function Quarantine() {
  const { t, tx } = useWords();
  const may = useMay();
  const toast = useToast();
  const { modal } = App.useApp();
  const [params, setParams] = useSearchParams();
  const [chosen, setChosen] = useState<Row | null>(null);
  const filter = { code: params.get("code") ?? "", source: params.get("source") ?? "" };
  const query = usePaged(["quarantine", "rows", filter], (cursor) => fetchRows(filter, cursor));
  const replay = useReplay();
  const nothing = useSummary().data?.items.length === 0 && !filter.code && !filter.source;
  const names = useSourceName();
  const words = useEventWords();
  const put = (next: Filter) => setParams(Object.fromEntries(Object.entries(next).filter(([, v]) => v)));
  const ask = () =>
    modal.confirm({
      title: t("quarantine.replayAsk"),
      content: filter.code ? tx(`reason.${filter.code}`, filter.code) : t("quarantine.replayAll"),
      okText: t("quarantine.replay"),
      cancelText: t("form.cancel"),
      onOk: () => replay.mutateAsync(filter).then((n) => toast.done(t("quarantine.replayed", { n })), toast.refused),
    });
  return (
    <Page
      title={t("nav.quarantine")}
      hint={t("quarantine.hint")}
      extra={may("source.write") && <Button icon={<ReloadOutlined />} disabled={nothing} onClick={ask}>{t("quarantine.replay")}</Button>}
    >
      <Flex vertical gap={16}>
        <Summary filter={filter} onFilter={put} />
        {!nothing && <Card
          title={t("quarantine.rows")}
          extra={(filter.code || filter.source) && <Button size="small" onClick={() => put({ code: "", source: "" })}>{t("form.clear")}</Button>}
        >
          <QueryTable<Row>
            query={query}
            label={t("quarantine.rows")}
            rowKey={(r) => String(r.id)}
            empty={<EmptyState title={t("quarantine.none")} />}
            columns={[
              { title: t("quarantine.first"), key: "at", render: (_, r) => <Time at={r.received_at} /> },
              {
                title: t("quarantine.reason"),
                key: "code",
                render: (_, r) => (
                  <Button type="link" size="small" style={{ paddingInline: 0 }} onClick={() => setChosen(r)}>{tx(`reason.${r.code}`, r.code)}</Button>
                ),
              },
              { title: t("quarantine.path"), key: "path", render: (_, r) => <span className="cl-mono">{r.path || "–"}</span> },
              { title: t("event.event"), key: "event", render: (_, r) => (r.event ? words.event(r.event) : "–") },
              { title: t("event.source"), key: "source", render: (_, r) => names(r.source) },
              { title: t("sources.state"), key: "state", render: (_, r) => <Tag variant="outlined">{tx(`quarantineState.${r.state}`, r.state)}</Tag> },
            ]}
          />
        </Card>}
      </Flex>
      <Drawer open={chosen !== null} size={640} title={chosen ? tx(`reason.${chosen.code}`, chosen.code) : ""} onClose={() => setChosen(null)} destroyOnHidden>
        {chosen && (
          <Flex vertical gap={12}>
            <Typography.Text>{t("error.code")} <Typography.Text code>{chosen.code}</Typography.Text></Typography.Text>
            <Typography.Text type="secondary">{t("quarantine.kept")}</Typography.Text>
            <Json value={chosen} label={t("quarantine.raw")} />
          </Flex>
        )}
      </Drawer>
    </Page>
  );
}
