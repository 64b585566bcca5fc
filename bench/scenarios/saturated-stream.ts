import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { alternate } from '../alternate.js';
import { describeTokens } from '../inputs/describe-tokens.js';
import type { MixName } from '../inputs/inputs.js';
import { describePass, passNumbers } from '../load/describe-pass.js';
import { ServedLoad, type ServedPass } from '../load/served-load.js';
import { OfflineCeiling, type OfflinePass } from '../reference/offline-ceiling.js';
import type { Findings, Measurement, Scenario, ScenarioContext } from '../scenario.js';
import { median, ratios } from '../statistics.js';

/** A stream with 256 or 32 texts in flight against the raw ceiling, by length mix. */
export const saturatedStream: Scenario = {
  name: 'saturated-stream',
  summary:
    'A stream with 256 and with 32 texts in flight against the same ONNX file with no server around it.',
  bars: [
    'stream-256-tight',
    'stream-256-wide',
    'stream-32-tight',
    'stream-32-wide',
    'padding-tight',
    'padding-wide',
  ],
  run,
};

interface MixRound {
  readonly ceiling: OfflinePass;
  /** As many threads, in two sessions. */
  readonly divided: OfflinePass;
  readonly at256: ServedPass;
  readonly at32: ServedPass;
}

async function run(context: ScenarioContext): Promise<Findings> {
  const measurements: Measurement[] = [];
  const facts: Record<string, string | number> = {};
  const byMix = new Map<MixName, MixRound[]>();
  const { models, inputs, processes, threads } = context;
  const model = models.get();
  const served = await ServedLoad.start(context, { model, texts: [], cache: CacheMode.BYPASS });
  const ceiling = await OfflineCeiling.start(processes, model, threads);
  const divided = await OfflineCeiling.start(processes, model, threads, threads > 1 ? 2 : 1);
  for (const mix of context.mixes) {
    const texts = await inputs.mix(mix, context.texts);
    await served.use(texts);
    const encodings = await models.encode(texts);
    for (const each of [ceiling, divided]) {
      await each.use(encodings);
      await each.tune(context);
    }
    const rounds = await alternate(
      {
        ceiling: () => ceiling.pass(),
        divided: () => divided.pass(),
        at256: () => served.pass({ mode: 'stream', inFlight: 256 }),
        at32: () => served.pass({ mode: 'stream', inFlight: 32 }),
      },
      { ...context, describe: (pass) => `(${mix}) ${describePass(pass)}` },
    );
    byMix.set(mix, rounds);
    measurements.push(...measure(model.title, mix, rounds));
    facts[`texts of the ${mix} mix`] = describeTokens(await inputs.statistics(texts));
    facts[`padded tokens of an offline batch, ${mix} mix`] = ceiling.budgetTokens;
  }
  const rounds = Array.from({ length: context.rounds }, (_, i) =>
    Object.assign({}, ...[...byMix].map(([mix, of]) => roundNumbers(mix, of[i]))),
  );
  const series = (name: string, pick: (round: MixRound) => number) => ({
    name,
    values: [...byMix.values()].map((of) => median(of.map(pick))),
  });
  return {
    measurements,
    rounds,
    facts,
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'As fast as the model',
        subtitle: `${model.title}, ${threads} threads: served over one gRPC stream and more, and offline in ideal batches`,
        valueAxis: 'texts/s',
        categories: [...byMix.keys()].map((mix) => `${mix} length mix`),
        series: [
          series('32 in flight', ({ at32 }) => at32.textsPerSecond),
          series('256 in flight', ({ at256 }) => at256.textsPerSecond),
          series('raw ceiling, no server', (round) => round.ceiling.textsPerSecond),
          series('the same, threads divided', (round) => round.divided.textsPerSecond),
        ],
      },
    ],
  };
}

function measure(title: string, mix: MixName, rounds: readonly MixRound[]): Measurement[] {
  const reference = rounds.map((round) => round.ceiling.textsPerSecond);
  const divided = rounds.map((round) => round.divided.textsPerSecond);
  const rates = (pick: (round: MixRound) => ServedPass) => rounds.map((round) => pick(round).textsPerSecond);
  const against = (pick: (round: MixRound) => ServedPass) => ratios(rates(pick), reference);
  return [
    {
      name: `${title}, ${mix} mix, 256 in flight: served / raw ceiling`,
      unit: 'x',
      values: against(({ at256 }) => at256),
      reference,
      bar: `stream-256-${mix}`,
    },
    {
      name: `${title}, ${mix} mix, 32 in flight: served / raw ceiling`,
      unit: 'x',
      values: against(({ at32 }) => at32),
      reference,
      bar: `stream-32-${mix}`,
    },
    {
      name: `${title}, ${mix} mix, 256 in flight: served / raw ceiling with the threads divided among two sessions`,
      unit: 'x',
      values: ratios(
        rates(({ at256 }) => at256),
        divided,
      ),
      reference: divided,
    },
    {
      name: `${title}, ${mix} mix, 256 in flight: padded to real tokens`,
      unit: 'x',
      values: rounds.map(({ at256 }) => at256.paddingRatio),
      bar: `padding-${mix}`,
    },
  ];
}

function roundNumbers(mix: MixName, round: MixRound | undefined): Record<string, number> {
  if (round === undefined) return {};
  return {
    [`${mix}CeilingTextsPerSecond`]: round.ceiling.textsPerSecond,
    [`${mix}DividedTextsPerSecond`]: round.divided.textsPerSecond,
    ...passNumbers(`${mix}At256`, round.at256),
    ...passNumbers(`${mix}At32`, round.at32),
  };
}
