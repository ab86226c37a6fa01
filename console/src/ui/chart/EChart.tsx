import { BarChart, GraphChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { type ECharts, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import type { ChartProps } from "./index";

use([BarChart, GraphChart, LineChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

/** Whether the reader asked for less motion. */
const calm = () => window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;

/** Draws one ECharts option and follows its container's size. */
export default function EChart({ option, height, label, onClick }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>(null);
  const clicked = useRef(onClick);
  clicked.current = onClick;
  useEffect(() => {
    const drawn = init(box.current!, undefined, { renderer: "canvas" });
    chart.current = drawn;
    drawn.on("click", (point) => clicked.current?.(point.dataIndex, point.seriesIndex ?? 0, point.data));
    const follow = new ResizeObserver(() => drawn.resize());
    follow.observe(box.current!);
    return () => {
      follow.disconnect();
      drawn.dispose();
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption({ backgroundColor: "transparent", animation: !calm(), ...option }, { notMerge: true });
  }, [option]);
  return <div ref={box} role="img" aria-label={label} style={{ height, width: "100%" }} />;
}
