import { resolve } from 'node:path';
import type { AddedModel, AddModelOptions } from '../app/add-model.js';
import { ownModelsDir } from '../config.js';
import { isSystemError, systemTrouble } from '../errors/system-trouble.js';
import type { Command } from './command.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { type FlagValues, parseFlags } from './flags.js';
import { cardJson, cardRows } from './model-card.js';
import { copyProgress } from './output/copy-progress.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';
import { precisionOf } from './precision.js';
import { sourceAccess } from './source-access.js';
import { OutputFailedError, UsageError } from './usage-error.js';

const FLAGS = {
  name: { kind: 'text', value: 'NAME', help: 'what to call the model; default: as its source is called' },
  path: {
    kind: 'text',
    value: 'FOLDER',
    help: 'the folder of the source that holds the model; default: its root, or the only folder that does',
  },
  'models-dir': {
    kind: 'text',
    value: 'DIR',
    help: "the folder to add it to; default: VERDICT_MODELS_DIR, else the server's own",
  },
  precision: {
    kind: 'list',
    value: 'PRECISION',
    help: 'the weights to take: fp32, int8 or fp16; may be repeated; default: what the server would choose from',
  },
  json: { kind: 'switch', help: 'print a JSON object on a terminal too, as in a pipe' },
} as const;

export const modelsAdd: Command = {
  name: 'models add',
  usage: 'SOURCE [flags]',
  description:
    'Takes a sequence-classification model from the Hugging Face Hub (hf://org/name, hf://org/name@revision), MLflow\n' +
    '(mlflow://NAME@ALIAS, mlflow://NAME/VERSION), S3 (s3://bucket/prefix) or a folder (its path, or file:///folder),\n' +
    'checks it as models verify does, and adds it to the models folder as the next version of its name. If it does not\n' +
    'pass, or the command is interrupted, the versions there stay as they were. A server reads the folder when it starts,\n' +
    'or when it is told to reload.\n\n' +
    'Registries are reached as by their own clients: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE\n' +
    'count for the Hub; MLFLOW_TRACKING_URI, and MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME and _PASSWORD for\n' +
    'MLflow; for S3 all that the SDK of AWS reads, such as AWS_ENDPOINT_URL, AWS_REGION, AWS_PROFILE and\n' +
    'AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY.',
  flags: FLAGS,
  examples: [
    'models add hf://distilbert/distilbert-base-uncased-finetuned-sst-2-english --name sst2',
    'models add ./my-export --name support-topics',
    'models add hf://org/name@v1.2 --precision fp32 --precision int8',
    'models add s3://models/team/sentiment',
    'models add mlflow://sentiment@champion',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [source, ...others] = positionals;
    if (source === undefined || others.length > 0)
      throw new UsageError(
        'give one source: hf://org/name, mlflow://NAME@ALIAS, s3://bucket/prefix, or a folder',
      );
    const { stdout, stderr } = context;
    const added = await add(source, values, context);
    if (typeof added === 'number') return added;
    if (added.directory === undefined) {
      stderr.write(`${source} does not pass, and was not added:\n`);
      const failed = added.report.checks.filter(({ ok }) => !ok);
      for (const { name, detail } of failed) stderr.write(`  ${name}: ${detail}\n`);
      return EXIT.incomplete;
    }
    const lines =
      values.json || stdout.isTTY !== true
        ? [JSON.stringify(cardJson(added))]
        : table(cardRows(added), widthOf(stdout));
    await LineWriter.print(stdout, lines);
    return EXIT.ok;
  },
};

/** What was added, or the exit code of a command that has said why nothing was. */
async function add(
  source: string,
  values: FlagValues<typeof FLAGS>,
  context: CliContext,
): Promise<AddedModel | number> {
  const { stderr } = context;
  const { addModel, RegistryError, SourceError } = await import('../app/add-model.js');
  const signal = context.interruption();
  const progress = copyProgress(stderr);
  const options: AddModelOptions = {
    source,
    modelsDir: resolve(values['models-dir'] ?? context.env('VERDICT_MODELS_DIR') ?? ownModelsDir),
    name: values.name,
    path: values.path,
    precisions: values.precision.map(precisionOf),
    access: sourceAccess((name) => context.env(name)),
    signal,
    onProgress: (file, done) => progress.update(file, done),
    onVerify: () => {
      progress.stop();
      stderr.write('checking it\n');
    },
  };
  try {
    return await addModel(options);
  } catch (error) {
    if (signal.aborted) {
      stderr.write('interrupted: nothing was added. A download goes on from here the next time\n');
      return EXIT.interrupted;
    }
    if (error instanceof SourceError) {
      stderr.write(`verdict models add: ${error.message}\n`);
      return error instanceof RegistryError ? EXIT.unanswered : EXIT.usage;
    }
    if (!isSystemError(error)) throw error;
    const { dest, path = options.modelsDir } = error as { readonly dest?: string; readonly path?: string };
    throw new OutputFailedError(`cannot write to ${dest ?? path}: ${systemTrouble(error)}`, { cause: error });
  } finally {
    progress.stop();
  }
}
