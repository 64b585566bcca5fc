import { ConfigError } from '../config/config-error.js';
import { loadConfig } from '../config.js';
import { systemTrouble } from '../errors/system-trouble.js';
import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { localHealth } from './local-health.js';
import { LineWriter } from './output/line-writer.js';
import { UsageError } from './usage-error.js';

const defaultTimeoutMs = 30_000;

const FLAGS = {
  ...CONNECTION_FLAGS,
  local: {
    kind: 'switch',
    help: 'ask the admin port of the server that has the settings of this environment; needs no certificate',
  },
} as const;

export const health: Command = {
  name: 'health',
  usage: '[SERVICE] [flags]',
  description:
    'Asks a running server whether it can serve: the server as a whole, or one service, such as\n' +
    'verdict.v1.ClassifierService or models/sentiment. Exits with 0 if it can, 1 if not, 3 if it cannot be reached.',
  flags: FLAGS,
  examples: [
    'health',
    'health models/sentiment',
    'health --address verdict.internal:50051',
    'health --local',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [service = '', ...others] = positionals;
    if (others.length > 0) throw new UsageError('give at most one service');
    if (values.local) {
      if (service !== '') throw new UsageError('--local asks for the server as a whole');
      return askLocally(values['timeout-ms'] ?? defaultTimeoutMs, context);
    }
    return withClient(values, context, async (client) => {
      const status = await client.health(service, { signal: context.interruption() });
      await print(context, service, status);
      return status === 'serving' ? EXIT.ok : EXIT.incomplete;
    });
  },
};

async function askLocally(timeoutMs: number, context: CliContext): Promise<number> {
  try {
    // Files that have gone bad since the start do not make a server that goes on with the former ones unhealthy.
    const config = await loadConfig({ argv: [], env: process.env, cwd: process.cwd(), checksFiles: false });
    const status = await localHealth(config, timeoutMs);
    await print(context, '', status);
    return status === 'serving' ? EXIT.ok : EXIT.incomplete;
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, { cause: error });
    context.stderr.write(`verdict: the admin port did not answer: ${systemTrouble(error)}\n`);
    return EXIT.unanswered;
  }
}

async function print({ stdout }: CliContext, service: string, status: string): Promise<void> {
  await LineWriter.print(stdout, [stdout.isTTY === true ? status : JSON.stringify({ service, status })]);
}
