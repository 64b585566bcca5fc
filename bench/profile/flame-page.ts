import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FlameNode } from './flame-tree.js';

const require = createRequire(import.meta.url);

/** One HTML page that holds all it needs: d3, d3-flame-graph and the frames. */
export function flamePage(title: string, tree: FlameNode): string {
  const d3 = script(join(dirname(require.resolve('d3')), 'd3.min.js'));
  const flameGraph = script(join(dirname(require.resolve('d3-flame-graph')), 'd3-flamegraph.umd.min.js'));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
  body { font: 14px sans-serif; margin: 16px; }
  #details { height: 20px; }
</style>
<h1>${escaped(title)}</h1>
<p>Width is time on the main thread, idle time left out. Click a frame to enlarge it, the lowest one to go back.
<input id="search" type="search" placeholder="search" aria-label="search"></p>
<div id="details"></div>
<div id="chart"></div>
<script>${d3}</script>
<script>${flameGraph}</script>
<script>
const chart = flamegraph.default().width(document.body.clientWidth).cellHeight(18).minFrameSize(2);
chart.setDetailsElement(document.getElementById('details'));
chart.label((d) => d.data.name + ', ' + d.data.value.toFixed(1) + ' ms, ' +
  (100 * (d.x1 - d.x0)).toFixed(1) + ' % of what is shown');
d3.select('#chart').datum(${json(tree)}).call(chart);
document.getElementById('search').addEventListener('input', (event) => chart.search(event.target.value));
</script>
</html>
`;
}

function script(path: string): string {
  return readFileSync(path, 'utf8').replaceAll('</script', '<\\/script');
}

/** Function names may hold anything, also what would end the script. */
function json(tree: FlameNode): string {
  return JSON.stringify(tree).replaceAll('<', '\\u003c');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
