import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { alternate } from '../alternate.js';
import type { BarId } from '../bars.js';
import { describeTokens } from '../inputs/describe-tokens.js';
import { describePass, passNumbers } from '../load/describe-pass.js';
import { ServedLoad } from '../load/served-load.js';
import { describeMachine } from '../machine.js';
import { OfflineCeiling } from '../reference/offline-ceiling.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import { median, ratios } from '../statistics.js';

const IN_FLIGHT = 256;

/** What quantised weights bring through the whole service. */
export const precision: Scenario = {
  name: 'precision',
  summary:
    'int8 against fp32 through the whole service, 256 texts in flight, and each against its own raw ceiling.',
  bars: ['int8-amx', 'int8-vnni'],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs } = context;
  models.require('fp32', 'int8');
  const texts = await inputs.mix('tight', context.texts);
  const fp32 = await startPrecision(context, 'fp32', texts);
  const int8 = await startPrecision(context, 'int8', texts);
  const rounds = await alternate(
    {
      fp32: () => fp32.served.pass({ mode: 'stream', inFlight: IN_FLIGHT }),
      int8: () => int8.served.pass({ mode: 'stream', inFlight: IN_FLIGHT }),
      fp32Ceiling: () => fp32.ceiling.pass(),
      int8Ceiling: () => int8.ceiling.pass(),
    },
    { ...context, describe: describePass },
  );
  const rates = (name: keyof (typeof rounds)[number]) => rounds.map((round) => round[name].textsPerSecond);
  const instructions = describeMachine().int8Instructions;
  const bar = barFor(instructions);
  const title = `${models.name}, tight mix, ${IN_FLIGHT} in flight`;
  return {
    measurements: [
      {
        name: `${title}: int8 / fp32, whole service`,
        unit: 'x',
        values: ratios(rates('int8'), rates('fp32')),
        reference: rates('fp32'),
        ...(bar === undefined ? {} : { bar }),
      },
      {
        name: `${title}: int8 / fp32, raw ceilings`,
        unit: 'x',
        values: ratios(rates('int8Ceiling'), rates('fp32Ceiling')),
        reference: rates('fp32Ceiling'),
      },
      {
        name: `${title}: served int8 / its raw ceiling`,
        unit: 'x',
        values: ratios(rates('int8'), rates('int8Ceiling')),
        reference: rates('int8Ceiling'),
      },
    ],
    rounds: rounds.map((round) => ({
      ...passNumbers('fp32', round.fp32),
      ...passNumbers('int8', round.int8),
      fp32CeilingTextsPerSecond: round.fp32Ceiling.textsPerSecond,
      int8CeilingTextsPerSecond: round.int8Ceiling.textsPerSecond,
    })),
    facts: {
      'instructions for int8': instructions.join(', ') || 'none',
      'texts of the tight mix': describeTokens(await inputs.statistics(texts)),
    },
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'int8 against fp32',
        subtitle: `${title}, ${context.threads} threads, ${instructions.join(' and ')}`,
        valueAxis: 'texts/s',
        categories: ['fp32', 'int8'],
        series: [
          { name: 'served', values: [median(rates('fp32')), median(rates('int8'))] },
          {
            name: 'raw ceiling, no server',
            values: [median(rates('fp32Ceiling')), median(rates('int8Ceiling'))],
          },
        ],
      },
    ],
  };
}

async function startPrecision(context: ScenarioContext, name: 'fp32' | 'int8', texts: readonly string[]) {
  const { models, processes, threads } = context;
  const model = models.get(name);
  const served = await ServedLoad.start(context, { model, texts, cache: CacheMode.BYPASS });
  const ceiling = await OfflineCeiling.start(processes, model, threads);
  await ceiling.use(await models.encode(texts));
  await ceiling.tune(context);
  return { served, ceiling };
}

/** AMX multiplies int8 tiles; VNNI alone, vectors. Without either no bar holds. */
export function barFor(instructions: readonly string[]): BarId | undefined {
  if (instructions.includes('amx_int8')) return 'int8-amx';
  return instructions.some((name) => name.endsWith('vnni')) ? 'int8-vnni' : undefined;
}
