import { Flex, Tag, Typography } from "antd";
import { useWords } from "../i18n";
import { number, percent } from "../ui/format";
import { ScrollTable } from "../ui/ScrollTable";

type Found = {
  column: string;
  kind: string;
  code: string;
  checked: number;
  failed: number;
  examples: { row: number; shown: string }[];
};
export type FileQuality = {
  scores: { dimension: string; percent: number | null }[];
  findings: Found[];
};

/** What rules of data quality say of a file that was looked at. */
export function FileFindings({ quality }: { quality: FileQuality }) {
  const { t, tx } = useWords();
  return (
    <Flex vertical gap={8}>
      <Flex gap={16} wrap align="center">
        <Typography.Text strong>{t("nav.quality")}</Typography.Text>
        {quality.scores.map((score) => (
          <span key={score.dimension}>
            {tx(`quality.${score.dimension}`, score.dimension)}{" "}
            <span className="cl-num">{score.percent === null ? "–" : percent(score.percent / 100, 2)}</span>
          </span>
        ))}
      </Flex>
      {quality.findings.length === 0 ? (
        <Typography.Text type="secondary">{t("quality.noFindings")}</Typography.Text>
      ) : (
        <ScrollTable<Found>
          aria-label={t("quality.findings")}
          rowKey={(f) => `${f.column}/${f.kind}/${f.code}`}
          dataSource={quality.findings}
          pagination={quality.findings.length > 20 ? { pageSize: 20 } : false}
          columns={[
            { title: t("imports.column"), dataIndex: "column" },
            { title: t("quality.rule"), key: "kind", render: (_, f) => tx(`quality.kind.${f.kind}`, f.kind) },
            { title: t("quality.fault"), key: "code", render: (_, f) => tx(`quality.code.${f.code}`, tx(`reason.${f.code}`, f.code)) },
            { title: t("quality.failed"), key: "failed", align: "right", render: (_, f) => <span className="cl-num">{number(f.failed)} / {number(f.checked)}</span> },
            {
              title: t("imports.row"),
              key: "examples",
              render: (_, f) =>
                f.examples.slice(0, 3).map((e) => (
                  <Tag key={e.row} variant="outlined">{number(e.row)} <span className="cl-mono">{e.shown}</span></Tag>
                )),
            },
          ]}
        />
      )}
    </Flex>
  );
}
