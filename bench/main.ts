import { fileURLToPath } from 'node:url';
import { BenchModels } from './bench-models.js';
import { Inputs } from './inputs/inputs.js';
import { type BenchOptions, parseOptions, usage } from './options.js';
import { runProfile } from './profile/profile-command.js';
import { parseProfileOptions, profileUsage } from './profile/profile-options.js';
import { Progress } from './progress.js';
import { resultMarkdown } from './report/markdown.js';
import { publish } from './report/publish.js';
import { writeResult } from './report/write-result.js';
import { runScenario, type SharedContext } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import { scenarios } from './scenarios.js';
import { BenchUsageError } from './usage-error.js';

/** Long enough to see who else is at work: the kernel counts a hundred ticks a second on each core. */
const LOOK_BEFORE_MS = 3_000;

const docsFolder = fileURLToPath(new URL('../../docs', import.meta.url));
const scenarioNames = scenarios.map(({ name }) => name);

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const isProfile = args[0] === 'profile';
  try {
    if (isProfile) return await profile(args.slice(1));
    const options = parseOptions(args, scenarios);
    if (options === 'help') {
      console.log(usage(scenarios));
      return 0;
    }
    return await run(options);
  } catch (error) {
    if (!(error instanceof BenchUsageError)) throw error;
    console.error(`bench: ${error.message}\n\n${isProfile ? profileUsage : usage(scenarios)}`);
    return 2;
  }
}

async function profile(args: readonly string[]): Promise<number> {
  const options = parseProfileOptions(args);
  console.log(options === 'help' ? profileUsage : await runProfile(options));
  return 0;
}

/** @returns 1 where a scenario failed, 130 where Ctrl-C ended it */
async function run(options: BenchOptions): Promise<number> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => interrupted.abort());
  const { signal } = interrupted;
  const lookBeforeMs = options.short ? 0 : LOOK_BEFORE_MS;
  const progress = new Progress(process.stderr);
  const models = await BenchModels.open(options.model, options.precision);
  const inputs = Inputs.open(options.dataFolder, (texts) => models.encode(texts));
  let code = 0;
  try {
    if (options.publish && inputs.generated) {
      throw new BenchUsageError(
        `--publish needs the data sets, and ${options.dataFolder} has none: see --data`,
      );
    }
    for (const scenario of options.scenarios) {
      try {
        await report(scenario, { options, models, inputs, progress, signal, lookBeforeMs });
      } catch (error) {
        if (signal.aborted) {
          console.error('bench: interrupted');
          return 130;
        }
        // One that fails must not cost the others their hours.
        console.error(`bench: ${scenario.name} failed:`, error);
        code = 1;
      }
    }
  } finally {
    await models.close();
  }
  return code;
}

async function report(scenario: Scenario, shared: SharedContext): Promise<void> {
  const { options } = shared;
  const { result, charts } = await runScenario(scenario, shared);
  writeResult(options.outFolder, result, charts);
  if (result.status === 'skipped') {
    console.log(`## ${scenario.name}\n\nSkipped: ${result.reason}\n`);
    return;
  }
  console.log(resultMarkdown(result));
  if (options.publish) publish(docsFolder, result, charts, scenarioNames);
}
