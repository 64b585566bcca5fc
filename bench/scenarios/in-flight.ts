import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { alternate } from '../alternate.js';
import { describeTokens } from '../inputs/describe-tokens.js';
import { type LoadMode, loadModes } from '../load/closed-loop.js';
import { describePass, passNumbers } from '../load/describe-pass.js';
import { ServedLoad, type ServedPass } from '../load/served-load.js';
import type { LineChart } from '../report/chart.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import { median, quantile } from '../statistics.js';

const LEVELS = [1, 8, 32, 64, 256] as const;
/** Those that the report tells; the charts and the result file have all. */
const TOLD_LEVELS: readonly number[] = [1, 32, 256];
/** One text at a time is slow: this part of the texts tells as much. */
const ONE_IN_FLIGHT_SHARE = 1 / 8;

/** Throughput and latency by how many texts are in flight, in unary calls, batches and streams. */
export const inFlight: Scenario = {
  name: 'in-flight',
  summary: 'Throughput, p50 and p99 with 1, 8, 32, 64 and 256 texts in flight, unary, batch and stream.',
  bars: [],
  run,
};

interface Point {
  readonly mode: LoadMode;
  readonly level: number;
  readonly passes: readonly ServedPass[];
}

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs, threads } = context;
  const texts = await inputs.mix('tight', context.texts);
  const model = models.get();
  const served = await ServedLoad.start(context, { model, texts, cache: CacheMode.BYPASS });
  await served.load({ mode: 'stream', inFlight: 64 });
  const rounds = await alternate(contenders(served, texts.length), {
    ...context,
    warmUp: false,
    describe: describePass,
  });
  const points = loadModes.flatMap((mode) =>
    LEVELS.map(
      (level): Point => ({ mode, level, passes: rounds.map((round) => passOf(round, mode, level)) }),
    ),
  );
  const chart = (name: string, title: string, valueAxis: string, pick: (pass: ServedPass) => number) =>
    ({
      kind: 'lines',
      name,
      title,
      subtitle: `${model.title}, ${threads} threads, tight length mix`,
      valueAxis,
      xAxis: 'texts in flight',
      log: { x: true },
      series: loadModes.map((mode) => ({
        name: mode,
        points: points
          .filter((point) => point.mode === mode)
          .map(({ level, passes }): [number, number] => [level, median(passes.map(pick))]),
      })),
    }) satisfies LineChart;
  return {
    measurements: points
      .filter(({ level }) => TOLD_LEVELS.includes(level))
      .flatMap((point) => measure(model.title, point)),
    rounds: rounds.map((round) =>
      Object.assign(
        {},
        ...Object.entries(round).map(([name, pass]) => passNumbers(`${name}-`, pass as ServedPass)),
      ),
    ),
    facts: { 'texts of the tight mix': describeTokens(await inputs.statistics(texts)) },
    charts: [
      chart('', 'Throughput by texts in flight', 'texts/s', (pass) => pass.textsPerSecond),
      chart('p50', 'Median latency by texts in flight', 'ms', (pass) => quantile(pass.latenciesMs, 0.5)),
      chart('p99', 'p99 latency by texts in flight', 'ms', (pass) => quantile(pass.latenciesMs, 0.99)),
    ],
  };
}

function contenders(served: ServedLoad, texts: number): Record<string, () => Promise<ServedPass>> {
  return Object.fromEntries(
    loadModes.flatMap((mode) =>
      LEVELS.map((level) => {
        const limit = level === 1 ? Math.ceil(texts * ONE_IN_FLIGHT_SHARE) : texts;
        return [`${mode}-${level}`, () => served.pass({ mode, inFlight: level, limit })];
      }),
    ),
  );
}

function passOf(round: Readonly<Record<string, ServedPass>>, mode: LoadMode, level: number): ServedPass {
  const pass = round[`${mode}-${level}`];
  if (pass === undefined) throw new Error(`no pass of ${mode} with ${level} in flight`);
  return pass;
}

function measure(title: string, { mode, level, passes }: Point) {
  const name = `${title}, tight mix, ${mode}, ${level} in flight`;
  return [
    { name: `${name}: throughput`, unit: 'texts/s', values: passes.map((pass) => pass.textsPerSecond) },
    { name: `${name}: p50`, unit: 'ms', values: passes.map((pass) => quantile(pass.latenciesMs, 0.5)) },
    { name: `${name}: p99`, unit: 'ms', values: passes.map((pass) => quantile(pass.latenciesMs, 0.99)) },
  ];
}
