import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
} as const;

export const modelsVerify: Command = {
  name: 'models verify',
  usage: 'DIR [flags]',
  description:
    'Checks a model directory without a server: its files, its configuration, the inputs and outputs of its ONNX\n' +
    'files, and its answers to the texts of golden.json. Exits with 0 if everything passes, else with 1.',
  flags: FLAGS,
  examples: ['models verify models/sentiment/1'],
  async run(argv, { stdout }) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [dir, ...others] = positionals;
    if (dir === undefined || others.length > 0) throw new UsageError('give one model directory');
    const { verifyModel } = await import('../app/verify-model.js');
    const { ok, checks } = await verifyModel(dir);
    const lines =
      values.json || stdout.isTTY !== true
        ? checks.map((check) => JSON.stringify(check))
        : table(
            checks.map((check) => [check.ok ? 'ok' : 'FAILED', check.name, check.detail]),
            widthOf(stdout),
          );
    await LineWriter.print(stdout, lines);
    return ok ? EXIT.ok : EXIT.incomplete;
  },
};
