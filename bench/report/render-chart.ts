import { type EChartsOption, init, type SeriesOption } from 'echarts';
import type { BarChart, Chart, LineChart } from './chart.js';
import { colors, themed } from './chart-theme.js';

const WIDTH = 960;
const HEIGHT = 480;
const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

/** Draws a chart as an SVG image that suits light and dark pages. */
export function renderChart(chart: Chart): string {
  const drawing = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    drawing.setOption({
      animation: false,
      color: [...colors.series],
      textStyle: { fontFamily: FONT, fontSize: 14, color: colors.text },
      title: {
        text: chart.title,
        subtext: chart.subtitle,
        left: 24,
        top: 16,
        textStyle: { fontSize: 20, fontWeight: 600, color: colors.text },
        subtextStyle: { fontSize: 14, color: colors.muted },
      },
      legend: {
        show: chart.series.length > 1,
        bottom: 18,
        icon: 'roundRect',
        itemWidth: 14,
        itemHeight: 14,
        itemGap: 24,
        textStyle: { fontSize: 14, color: colors.text },
      },
      grid: { left: 32, right: 40, top: 116, bottom: chart.series.length > 1 ? 60 : 24, containLabel: true },
      ...(chart.kind === 'bars' ? barOption(chart) : lineOption(chart)),
    });
    return themed(drawing.renderToSVGString());
  } finally {
    drawing.dispose();
  }
}

function barOption(chart: BarChart): EChartsOption {
  return {
    xAxis: {
      type: 'category',
      data: [...chart.categories],
      axisLine: { lineStyle: { color: colors.grid } },
      axisTick: { show: false },
      axisLabel: { fontSize: 14, color: colors.text, interval: 0 },
    },
    yAxis: { ...valueAxis(chart.valueAxis, false), ...reachingTo(chart.mark) },
    series: chart.series.map(
      ({ name, values }, i): SeriesOption => ({
        type: 'bar',
        name,
        data: values.map((value) => (Number.isFinite(value) ? value : null)),
        barMaxWidth: 72,
        itemStyle: { borderRadius: [4, 4, 0, 0] },
        label: {
          show: true,
          position: 'top',
          fontSize: 13,
          color: colors.text,
          formatter: ({ value }) => (typeof value === 'number' ? shortNumber(value) : ''),
        },
        ...(i === 0 ? markLine(chart.mark) : {}),
      }),
    ),
  };
}

function lineOption(chart: LineChart): EChartsOption {
  return {
    xAxis: {
      ...valueAxis(chart.xAxis, chart.log?.x ?? false),
      nameLocation: 'middle',
      nameGap: 34,
      nameTextStyle: { fontSize: 14, color: colors.muted },
      ...(chart.log?.x === true ? { logBase: 2 } : {}),
    },
    yAxis: { ...valueAxis(chart.valueAxis, chart.log?.value ?? false), ...reachingTo(chart.mark) },
    grid: {
      left: 32,
      right: 40,
      top: 116,
      bottom: chart.series.length > 1 ? 88 : 52,
      containLabel: true,
    },
    series: chart.series.map(
      ({ name, points }, i): SeriesOption => ({
        type: 'line',
        name,
        data: points.map(([x, value]) => [x, value]),
        symbol: points.length > 60 ? 'none' : 'circle',
        symbolSize: 8,
        lineStyle: { width: 3 },
        ...(i === 0 ? markLine(chart.mark) : {}),
      }),
    ),
  };
}

function valueAxis(name: string, log: boolean) {
  return {
    type: log ? ('log' as const) : ('value' as const),
    name,
    nameTextStyle: { fontSize: 14, color: colors.muted, align: 'left' as const },
    axisLabel: { fontSize: 14, color: colors.muted, formatter: shortNumber },
    axisLine: { lineStyle: { color: colors.grid } },
    splitLine: { lineStyle: { color: colors.grid } },
    ...(log ? {} : { min: 0 }),
  };
}

/** The axis holds the mark, where all values are below it. */
function reachingTo(mark: Chart['mark']): { max?: (extent: { max: number }) => number | undefined } {
  if (mark === undefined) return {};
  const { value } = mark;
  return { max: ({ max }) => (max >= value ? undefined : 1.2 * value) };
}

function markLine(mark: Chart['mark']): object {
  if (mark === undefined) return {};
  return {
    markLine: {
      symbol: 'none',
      silent: true,
      lineStyle: { color: colors.mark, type: 'dashed', width: 2 },
      label: { position: 'insideEndTop', formatter: mark.label, fontSize: 13, color: colors.mark },
      data: [{ yAxis: mark.value }],
    },
  };
}

/** Three digits that count. */
function shortNumber(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}
