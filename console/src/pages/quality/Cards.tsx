import { Card, Flex, Progress, Typography } from "antd";
import { useWords } from "../../i18n";
import { number } from "../../ui/format";
import { Loaded } from "../../ui/Loaded";
import { useSummary } from "./queries";
import { shareText } from "./words";

/** The four dimensions, 0 to 100 %, each beside the same number of days before. */
export function Cards({ days }: { days: number }) {
  const { t, tx } = useWords();
  return (
    <Loaded query={useSummary(days)} rows={3} framed>
      {({ dimensions }) => (
        <div className="cl-grid cl-tiles">
          {dimensions.map((card) => (
            <Card size="small" key={card.dimension} data-dimension={card.dimension}>
              <Flex vertical gap={4}>
                <Typography.Text type="secondary">{tx(`quality.${card.dimension}`, card.dimension)}</Typography.Text>
                <Typography.Title level={3} style={{ margin: 0 }} className="cl-num">{shareText(card)}</Typography.Title>
                <Progress percent={card.percent ?? 0} showInfo={false} size="small" aria-label={tx(`quality.${card.dimension}`, card.dimension)} />
                <Typography.Text type="secondary">
                  {card.total ? t("quality.of", { good: number(card.good), total: number(card.total) }) : t("quality.notJudged")}
                </Typography.Text>
                {card.before !== null && (
                  <Typography.Text type="secondary">{t("quality.before", { percent: shareText({ percent: card.before }) })}</Typography.Text>
                )}
                <Typography.Text type="secondary" style={{ fontSize: 12 }}>{tx(`quality.${card.dimension}Hint`, "")}</Typography.Text>
              </Flex>
            </Card>
          ))}
        </div>
      )}
    </Loaded>
  );
}
