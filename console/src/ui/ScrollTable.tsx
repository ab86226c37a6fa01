import { Table, type TableProps } from "antd";
import { useEffect, useRef } from "react";

/** A table that scrolls sideways where it must, by keyboard too. */
export function ScrollTable<T extends object>(props: TableProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelectorAll(".ant-table-content, .ant-table-body").forEach((part) => {
      part.setAttribute("tabindex", "0");
    });
  });
  return (
    <div ref={box}>
      <Table<T> size="small" pagination={false} scroll={{ x: "max-content" }} {...props} />
    </div>
  );
}
