import type { ReceivedSpan } from './trace-collector.js';

const rowHeight = 26;
const labelWidth = 330;
const barsWidth = 560;
const top = 52;
const margin = 16;

const colours: Readonly<Record<string, string>> = {
  receive: '#8aa0b8',
  validate: '#8aa0b8',
  memory: '#3f9c8f',
  redis: '#3f9c8f',
  ingress: '#6d6d6d',
  queue: '#d9a441',
  tokenize: '#7a68b8',
  run: '#c5533d',
  batch: '#c5533d',
  score: '#8aa0b8',
};

interface Row {
  readonly span: ReceivedSpan;
  readonly depth: number;
}

/** The spans of a trace as they are drawn: a span before those below it, and these by their start. */
export function rowsOf(spans: readonly ReceivedSpan[], root: ReceivedSpan, depth = 0): Row[] {
  const below = spans
    .filter(({ parentId }) => parentId === root.spanId)
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  return [{ span: root, depth }, ...below.flatMap((span) => rowsOf(spans, span, depth + 1))];
}

/** An SVG of a trace over time, and below it of a batch that ran an input of it, with the links between the two. */
export function drawTrace(spans: readonly ReceivedSpan[], root: ReceivedSpan, batch: ReceivedSpan): string {
  const rows: readonly Row[] = [...rowsOf(spans, root), { span: batch, depth: 0 }];
  const startMs = root.startMs;
  const perMs = barsWidth / (root.endMs - startMs);
  const height = top + rowHeight * (rows.length + 1) + margin;
  const width = labelWidth + barsWidth + margin;
  const x = (ms: number) => labelWidth + (ms - startMs) * perMs;
  // The batch is a trace of its own: a row stays empty before it.
  const y = (row: number) => top + rowHeight * (row === rows.length - 1 ? row + 1 : row);
  const bars = rows.map(({ span, depth }, row) => {
    const lengthMs = span.endMs - span.startMs;
    const text = `${label(lengthMs)} ms`;
    const end = x(span.endMs);
    const isLeft = end > labelWidth + barsWidth - 70;
    const place = isLeft ? `x="${number(x(span.startMs) - 5)}" text-anchor="end"` : `x="${number(end + 5)}"`;
    const inside = isLeft && x(span.startMs) < labelWidth + 70;
    const words = inside
      ? `<text class="in" x="${number(end - 6)}" y="${y(row) + 13}" text-anchor="end">${text}</text>`
      : `<text class="ms" ${place} y="${y(row) + 13}">${text}</text>`;
    const bar = `<rect x="${number(x(span.startMs))}" y="${y(row) + 1}" width="${number(Math.max(1.5, lengthMs * perMs))}" height="16" rx="2" fill="${colours[span.name] ?? '#4a6fa5'}"/>`;
    return `<g data-span="${span.name}"><text x="${margin + depth * 16}" y="${y(row) + 13}">${span.name}</text>${bar}${words}</g>`;
  });
  const run = rows.findIndex(({ span }) => span.links.includes(batch.spanId));
  const middle = (x(batch.startMs) + x(batch.endMs)) / 2;
  const link = `<path d="M ${number(middle)} ${y(run) + 18} V ${y(rows.length - 1)}" class="link"/>`;
  const note = `<text class="ms" x="${margin}" y="${y(rows.length - 1) + 32}">The batch is a trace of its own. It links to the ${batch.links.length} inputs that ran in it, and each run links back.</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 18}" font-family="system-ui, sans-serif" font-size="13">`,
    '<title>The trace of one Classify call through Envoy</title>',
    '<style>.ms{font-size:11px;fill:#555;paint-order:stroke;stroke:#fff;stroke-width:3}.in{font-size:11px;fill:#fff}.link{stroke:#c5533d;stroke-dasharray:3 3;fill:none}</style>',
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${margin}" y="28" font-weight="600">One Classify call through Envoy: not in the cache, in a batch with another call's input</text>`,
    link,
    ...bars,
    note,
    '</svg>',
    '',
  ].join('\n');
}

/** The names of the spans in such an SVG, in the order in which they are drawn. */
export function namesIn(svg: string): string[] {
  return [...svg.matchAll(/data-span="([^"]+)"/g)].map(([, name = '']) => name);
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function label(ms: number): string {
  return ms.toFixed(ms < 1 ? 2 : 1);
}
