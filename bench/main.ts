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
import { runScenario } from './run-scenario.js';
import { scenarios } from './scenarios.js';
import { BenchUsageError } from './usage-error.js';

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

/** @returns 130 where Ctrl-C ended it */
async function run(options: BenchOptions): Promise<number> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const progress = new Progress(process.stderr);
  const models = await BenchModels.open(options.model, options.precision);
  const inputs = Inputs.open(options.dataFolder, (texts) => models.encode(texts));
  try {
    for (const scenario of options.scenarios) {
      const shared = { options, models, inputs, progress, signal: interrupted.signal };
      const { result, charts } = await runScenario(scenario, shared);
      writeResult(options.outFolder, result, charts);
      if (options.publish && result.status === 'ran') publish(docsFolder, result, charts, scenarioNames);
      if (result.status === 'skipped') console.log(`## ${scenario.name}\n\nSkipped: ${result.reason}\n`);
      else console.log(resultMarkdown(result));
    }
    return 0;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.error('bench: interrupted');
    return 130;
  } finally {
    await models.close();
  }
}
