import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { provideBenchModel } from './bench-model.js';
import { writeReport } from './report.js';
import { eventLoop } from './scenarios/event-loop.js';
import { oneInFlight } from './scenarios/one-in-flight.js';
import { policies } from './scenarios/policies.js';
import { saturatedStream } from './scenarios/saturated-stream.js';
import { startup } from './scenarios/startup.js';
import { readSst2 } from './texts.js';

const SCENARIOS = {
  'saturated-stream': saturatedStream,
  'one-in-flight': oneInFlight,
  policies,
  'event-loop': eventLoop,
  startup,
} as const;

const USAGE = `npm run bench -- [scenario ...] [options]

Scenarios: ${Object.keys(SCENARIOS).join(', ')} (default: all)

  --model NAME    base (66 M parameters, random weights, made on first use), sentiment or intent (default: base)
  --rounds N      rounds per scenario (default: 5)
  --texts N       texts per round (default: 512)
  --threads N     threads of the session, server and reference alike (default: one per core)
  --data FILE     SST-2 sentences as TSV (default: ../shared/data/sst2/dev.tsv)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'base' },
    rounds: { type: 'string', default: '5' },
    texts: { type: 'string', default: '512' },
    threads: { type: 'string', default: String(availableParallelism()) },
    data: {
      type: 'string',
      default: fileURLToPath(new URL('../../../shared/data/sst2/dev.tsv', import.meta.url)),
    },
    help: { type: 'boolean', default: false },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const names = positionals.length > 0 ? positionals : Object.keys(SCENARIOS);
  const unknown = names.find((name) => !(name in SCENARIOS));
  if (values.help || unknown !== undefined) {
    console.error(unknown === undefined ? USAGE : `unknown scenario '${unknown}'\n\n${USAGE}`);
    return values.help ? 0 : 2;
  }
  if (!existsSync(values.data)) {
    console.error(`bench: no SST-2 sentences at ${values.data}: pass --data FILE`);
    return 2;
  }
  const model = await provideBenchModel(values.model);
  try {
    for (const name of names as (keyof typeof SCENARIOS)[]) {
      console.error(`\n# ${name}`);
      const report = await SCENARIOS[name]({
        model,
        texts: readSst2(values.data, Number(values.texts)),
        rounds: Number(values.rounds),
        threads: Number(values.threads),
        command: `npm run bench -- ${name} --model ${values.model} --rounds ${values.rounds} --texts ${values.texts} --threads ${values.threads}`,
        onProgress: (line) => console.error(line),
      });
      console.log(writeReport(report));
    }
  } finally {
    await model.close();
  }
  return 0;
}
