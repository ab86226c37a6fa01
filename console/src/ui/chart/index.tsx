import { Skeleton, theme } from "antd";
import type { EChartsCoreOption } from "echarts/core";
import { Suspense, lazy, useMemo } from "react";

export type ChartProps = {
  option: EChartsCoreOption;
  height: number;
  /** What the chart says, for those who cannot see it. */
  label: string;
  onClick?: (index: number, series: number, data: unknown) => void;
};

const EChart = lazy(() => import("./EChart"));

/** ECharts, fetched only when a page draws one. */
export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Skeleton.Node active style={{ width: "100%", height: props.height }} />}>
      <EChart {...props} />
    </Suspense>
  );
}

/** Colours of charts, from the theme in force. */
export function usePalette() {
  const { token } = theme.useToken();
  return useMemo(
    () => ({
      series: ["#2f6bde", "#12a594", "#e5890b", "#9a5bd6", "#d6456b", "#4a90a4", "#7c8b1d", "#8d6e63", "#5b6ee1", "#c0a000", "#3c8f5a", "#a34d8f"],
      text: token.colorTextSecondary,
      line: token.colorSplit,
      surface: token.colorBgElevated,
      strong: token.colorText,
    }),
    [token],
  );
}

/** Axis, grid and tooltip as every chart of the console has them. */
export function useBase() {
  const palette = usePalette();
  return useMemo(
    () => ({
      color: palette.series,
      textStyle: { color: palette.text, fontFamily: "inherit" },
      grid: { left: 8, right: 16, top: 24, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: {
        backgroundColor: palette.surface,
        borderColor: palette.line,
        textStyle: { color: palette.strong },
      },
      axis: {
        axisLine: { lineStyle: { color: palette.line } },
        axisTick: { show: false },
        axisLabel: { color: palette.text, fontSize: 12 },
        splitLine: { lineStyle: { color: palette.line } },
      },
    }),
    [palette],
  );
}
