import type { ClassReport } from '../../simulation/ledger.js';
import type { SimulationReport } from '../../simulation/simulation.js';
import { table } from '../output/table.js';

/** The results of one policy. */
export interface PolicyReport extends SimulationReport {
  readonly policy: string;
  readonly maxItems: number;
  /** With `--p99-ms`: the highest rate that meets it; the other results are at this rate. */
  readonly rate?: number;
}

/** The reports of several policies side by side: callers, then batches. */
export function reportTables(reports: readonly PolicyReport[], width: number): string[] {
  const rates = reports.flatMap(({ policy, maxItems, rate }) =>
    rate === undefined ? [] : [[`${policy}:${maxItems}`, short(rate)]],
  );
  return [
    ...(rates.length === 0 ? [] : [...table([['POLICY', 'RATE'], ...rates], width), '']),
    ...table([CLASS_HEAD, ...reports.flatMap(classRows)], width),
    '',
    ...table([BATCH_HEAD, ...reports.map(batchRow)], width),
  ];
}

const CLASS_HEAD = [
  'POLICY',
  'CLASS',
  'CAME',
  'DONE/S',
  'IN TIME/S',
  'P50',
  'P95',
  'P99 MS',
  'QUEUE P50',
  'MAX',
  'NOT IN TIME',
];
const BATCH_HEAD = ['POLICY', 'BATCHES', 'ITEMS', 'PADDING', 'RUN P50', 'P99 MS', 'BUSY'];

function classRows({ policy, maxItems, classes }: PolicyReport): string[][] {
  return Object.entries(classes)
    .filter(([, { arrivals }]) => arrivals > 0)
    .map(([name, report]) => [
      `${policy}:${maxItems}`,
      name,
      String(report.arrivals),
      short(report.throughput),
      short(report.goodput),
      short(report.latencyMs.p50),
      short(report.latencyMs.p95),
      short(report.latencyMs.p99),
      short(report.queueMs.p50),
      short(report.queueMs.max),
      notInTime(report),
    ]);
}

function batchRow({ policy, maxItems, batches, busyShare }: PolicyReport): string[] {
  return [
    `${policy}:${maxItems}`,
    String(batches.count),
    short(batches.items.mean),
    batches.padding.toFixed(2),
    short(batches.runMs.p50),
    short(batches.runMs.p99),
    `${(busyShare * 100).toFixed(0)} %`,
  ];
}

function notInTime({ outcomes }: ClassReport): string {
  const others = Object.entries(outcomes).filter(([outcome]) => outcome !== 'answered');
  return others.map(([outcome, count]) => `${outcome} ${count}`).join(', ') || '-';
}

/** Three significant digits. */
function short(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
