import { Breadcrumb, Flex, Typography } from "antd";
import { useEffect, type ReactNode } from "react";
import { Link } from "react-router";

type Props = {
  title: string;
  hint?: ReactNode;
  extra?: ReactNode;
  parent?: { to: string; label: string };
  children: ReactNode;
};

/** A page: its one h1, what it is for, its actions, its content. */
export function Page({ title, hint, extra, parent, children }: Props) {
  useEffect(() => {
    document.title = `${title} · carloop`;
  }, [title]);
  return (
    <>
      {parent && (
        <Breadcrumb
          style={{ marginBottom: 8 }}
          items={[{ title: <Link to={parent.to}>{parent.label}</Link> }, { title }]}
        />
      )}
      <Flex align="flex-start" gap={16} wrap style={{ marginBottom: 16 }}>
        <div style={{ flex: 1, minWidth: 260 }}>
          <Typography.Title level={1} style={{ fontSize: 22, margin: 0 }}>
            {title}
          </Typography.Title>
          {hint && <Typography.Text type="secondary" style={{ display: "block", marginTop: 4 }}>{hint}</Typography.Text>}
        </div>
        {extra && <Flex gap={8} wrap className="cl-noprint">{extra}</Flex>}
      </Flex>
      {children}
    </>
  );
}
