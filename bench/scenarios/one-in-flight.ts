import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { ClosedLoop } from '../load/closed-loop.js';
import { ServedLoad } from '../load/served-load.js';
import { startEchoServer } from '../reference/echo-server.js';
import { OfflineCeiling } from '../reference/offline-ceiling.js';
import { formatNumber } from '../report/format-value.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import { median, ratios } from '../statistics.js';

const TEXTS = 60;

/** One unary call at a time against the raw ONNX run of the same text plus twice a bare echo. */
export const oneInFlight: Scenario = {
  name: 'one-in-flight',
  summary: 'One unary call at a time: its p50 against the raw ONNX run of the text plus twice a bare echo.',
  bars: ['one-in-flight'],
  run,
};

/**
 * The three take turns text by text: a run empties the processor's caches and lets every other process fall asleep,
 * which an echo in a tight loop never sees. The echo in a tight loop is measured as well, and reported beside it.
 */
async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs, processes, progress, signal, threads, rounds } = context;
  const texts = inputs.sst2(Math.min(TEXTS, context.texts));
  const model = models.get();
  const setup = { texts, cache: CacheMode.BYPASS };
  const served = await ServedLoad.start(context, { ...setup, model });
  const { address } = await startEchoServer(processes);
  const echo = await ClosedLoop.start(processes, { ...setup, address, model: model.name });
  const raw = await OfflineCeiling.start(processes, model, threads);
  await raw.use(await models.encode(texts));
  progress.expect(rounds);
  await served.load({ mode: 'unary', inFlight: 1 });
  await echo.pass({ mode: 'unary', inFlight: 1 });
  const results: Record<'rawMs' | 'echoMs' | 'servedMs' | 'warmEchoMs', number>[] = [];
  for (let round = 1; round <= rounds; round++) {
    const times = { raw: [] as number[], echo: [] as number[], served: [] as number[] };
    for (const input of texts.keys()) {
      signal.throwIfAborted();
      times.raw.push(await raw.one(input));
      times.echo.push(await echo.one(input));
      times.served.push(await served.one(input));
    }
    const warm = await echo.pass({ mode: 'unary', inFlight: 1 });
    const result = {
      rawMs: median(times.raw),
      echoMs: median(times.echo),
      servedMs: median(times.served),
      warmEchoMs: median(warm.latenciesMs),
    };
    results.push(result);
    progress.advance(
      `round ${round}/${rounds}: ${Object.entries(result)
        .map(([name, ms]) => `${name} ${formatNumber(ms)}`)
        .join(', ')}`,
    );
  }
  const allowed = results.map(({ rawMs, echoMs }) => rawMs + 2 * echoMs);
  const servedMs = results.map((result) => result.servedMs);
  const medianOf = (name: keyof (typeof results)[number]) => median(results.map((result) => result[name]));
  return {
    measurements: [
      {
        name: `${model.title}, one unary call in flight, p50: served / (raw run + 2 x echo)`,
        unit: 'x',
        values: ratios(servedMs, allowed),
        reference: allowed,
        bar: 'one-in-flight',
      },
      {
        name: `${model.title}, one unary call in flight, p50: served - (raw run + 2 x echo)`,
        unit: 'ms',
        values: servedMs.map((ms, i) => ms - (allowed[i] ?? Number.NaN)),
      },
    ],
    rounds: results,
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'One call at a time',
        subtitle: `${model.title}, ${threads} threads, SST-2 sentences: median latency`,
        valueAxis: 'ms',
        categories: ['raw ONNX run', 'raw run + 2 x bare gRPC echo', 'served over gRPC'],
        series: [{ name: 'p50', values: [medianOf('rawMs'), median(allowed), medianOf('servedMs')] }],
      },
    ],
  };
}
