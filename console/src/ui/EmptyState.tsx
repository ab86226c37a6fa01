import { Empty, Flex, Typography } from "antd";
import type { ReactNode } from "react";

type Props = { title: string; hint?: ReactNode; action?: ReactNode };

/** Nothing here yet: what this is for and how to begin. */
export function EmptyState({ title, hint, action }: Props) {
  return (
    <Flex vertical align="center" gap={8} style={{ padding: "36px 16px" }}>
      <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={false} aria-hidden />
      <Typography.Text strong>{title}</Typography.Text>
      {hint && (
        <Typography.Text type="secondary" style={{ maxWidth: 520, textAlign: "center" }}>
          {hint}
        </Typography.Text>
      )}
      {action && <div style={{ marginTop: 8 }}>{action}</div>}
    </Flex>
  );
}
