import { FileSearchOutlined } from "@ant-design/icons";
import { Button, Result, Space, Typography } from "antd";
import { Problem } from "../api/client";
import { useWords } from "../i18n";

/** What went wrong, in the user's words: by the problem's stable code, else as the server said. */
export function useProblemText() {
  const { t, tx } = useWords();
  return (problem: unknown): string => {
    if (!(problem instanceof Problem)) return t("error.unexpected");
    const known = tx(`problem.${problem.code}`, "");
    if (known) return problem.code === "invalid_input" && problem.path ? `${known} (${problem.path})` : known;
    if (problem.status >= 500 && !problem.message) return t("error.server");
    return problem.message || t("error.unexpected");
  };
}

/** An error with its code and a way on. */
export function ErrorState({ problem, onRetry }: { problem: unknown; onRetry?: () => void }) {
  const { t } = useWords();
  const text = useProblemText();
  const code = problem instanceof Problem ? problem.code : "unexpected";
  const missing = problem instanceof Problem && problem.status === 404;
  return (
    <div role="alert">
      <Result
        status={missing ? "info" : "warning"}
        icon={missing ? <FileSearchOutlined /> : undefined}
        title={<span style={{ fontSize: 18 }}>{text(problem)}</span>}
        subTitle={
          <Space size={8}>
            {t("error.code")}
            <Typography.Text code>{code}</Typography.Text>
          </Space>
        }
        extra={onRetry && <Button onClick={onRetry}>{t("error.retry")}</Button>}
      />
    </div>
  );
}
