import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BarChart, LineChart } from '../../../../bench/report/chart.js';
import { renderChart } from '../../../../bench/report/render-chart.js';
import { assertWellFormedSvg } from './well-formed-svg.js';

const bars: BarChart = {
  kind: 'bars',
  name: '',
  title: 'Faster & <better>',
  subtitle: 'base fp32, "two" threads',
  valueAxis: 'texts/s',
  categories: ['tight', 'wide'],
  series: [
    { name: 'served', values: [1234.5, 62] },
    { name: 'ceiling', values: [140, Number.NaN] },
  ],
};

const lines: LineChart = {
  kind: 'lines',
  name: 'p99',
  title: 'Latency',
  subtitle: 'tight mix',
  valueAxis: 'ms',
  xAxis: 'in flight',
  log: { x: true },
  series: [{ name: 'unary', points: [1, 8, 64, 256].map((x) => [x, 10 * x] as const) }],
};

describe('charts', () => {
  it('are well-formed SVG images, with all that they say in them', () => {
    for (const chart of [bars, lines]) {
      const svg = renderChart(chart);
      assertWellFormedSvg(svg);
      const names = chart.series.length > 1 ? chart.series.map(({ name }) => name) : [];
      for (const text of [chart.valueAxis, ...names]) {
        assert.ok(svg.includes(`>${text}<`), text);
      }
    }
  });

  it('escape what they show', () => {
    assert.match(renderChart(bars), /Faster &amp; &lt;better&gt;/);
  });

  it('label bars with three digits that count, and leave a gap for no number', () => {
    const svg = renderChart(bars);
    assert.match(svg, />1,230</);
    assert.doesNotMatch(svg, /NaN/);
  });

  it('draw a bar to reach, within the axis', () => {
    const svg = renderChart({ ...bars, mark: { label: 'at least 9,999', value: 9_999 } });
    assert.match(svg, />at least 9,999</);
  });

  it('bring colours for dark pages', () => {
    const svg = renderChart(lines);
    assert.match(svg, /@media \(prefers-color-scheme:dark\)\{\[fill="#fffffe"\]\{fill:#0d1117\}/);
    assert.match(svg, /<rect [^>]*fill="#fffffe"/);
  });

  it('are the same for the same numbers', () => {
    assert.equal(renderChart(bars), renderChart(bars));
  });
});
