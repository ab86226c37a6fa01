import { Alert, Descriptions, Flex, Typography } from "antd";
import { useWords } from "../../i18n";
import { number } from "../../ui/format";
import { ScrollTable } from "../../ui/ScrollTable";
import { cellsOf, headersOf, type Document, type SeenColumn } from "./mapping";
import type { Trial } from "./queries";

/** The columns as the source declares them. */
export const columnsOf = (trial: Trial | undefined): SeenColumn[] =>
  (trial?.columns ?? []).map((one) => ({ name: one.name ?? "", type: one.type ?? "" }));

const shown = (value: unknown) => (value === null || value === undefined ? "–" : String(value));

/** What a connection saw: how much there is, what is odd, the first records. */
export function TrialResult({ trial }: { trial: Trial }) {
  const { t, tx } = useWords();
  const headers = headersOf(columnsOf(trial), trial.sample);
  const types = new Map(columnsOf(trial).map((one) => [one.name, one.type]));
  const rows = trial.sample.map((record, place) => ({ place, cells: cellsOf(record) }));
  return (
    <Flex vertical gap={16}>
      <Alert type="success" showIcon title={t("feeds.reached")} />
      <Descriptions
        column={{ xs: 1, md: 3 }}
        items={[
          { key: "total", label: t("feeds.total"), children: trial.total === null ? t("feeds.untold") : <span className="cl-num">{number(trial.total)}</span> },
          { key: "columns", label: t("feeds.columns"), children: <span className="cl-num">{number(headers.length)}</span> },
          { key: "sample", label: t("feeds.sampled"), children: <span className="cl-num">{number(rows.length)}</span> },
        ]}
      />
      {trial.notes.map((note) => (
        <Alert key={note} type="warning" showIcon title={tx(`feedNote.${note}`, note)} />
      ))}
      {rows.length === 0 ? (
        <Typography.Text type="secondary">{t("feeds.noSample")}</Typography.Text>
      ) : (
        <ScrollTable<{ place: number; cells: Document }>
          aria-label={t("feeds.sample")}
          rowKey="place"
          dataSource={rows}
          scroll={{ x: "max-content", y: 360 }}
          columns={headers.map((header) => ({
            key: header,
            title: (
              <Flex vertical>
                {header}
                <Typography.Text type="secondary" className="cl-mono">{types.get(header)}</Typography.Text>
              </Flex>
            ),
            render: (_, row) => <Typography.Text ellipsis style={{ maxWidth: 240 }}>{shown(row.cells[header])}</Typography.Text>,
          }))}
        />
      )}
    </Flex>
  );
}
