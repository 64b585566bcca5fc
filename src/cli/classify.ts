import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { VerdictClient } from '../../clients/typescript/src/index.js';
import { CLASSIFY_FLAGS, type ClassifyValues } from './classify-flags.js';
import { batchRows, singleRow } from './classify-rows.js';
import type { Command } from './command.js';
import { withClient } from './connection-flags.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { counted } from './output/counted.js';
import { LineWriter } from './output/line-writer.js';
import { SILENT, startProgress } from './output/progress.js';
import { JsonSink, type ResultSink, ScreenSink } from './output/result-sink.js';
import type { RowResult } from './row-result.js';
import { readDelimiter } from './rows/delimiter.js';
import { readKeep } from './rows/keep.js';
import { openRows, type RowSource } from './rows/read-rows.js';
import type { Row } from './rows/row.js';
import { RowFeed } from './rows/row-feed.js';
import { DEFAULT_ENCODING } from './rows/text-encoding.js';
import { sendableRows } from './sendable-rows.js';
import { streamRows } from './stream-rows.js';
import { Tally } from './tally.js';
import { OutputClosedError, OutputFailedError, UsageError } from './usage-error.js';

const DEFAULT_WINDOW = 256;
const DEFAULT_BATCH_SIZE = 32;

/** Rows of a file to show on a terminal. */
const PREVIEW_ROWS = 10;

export const classify: Command = {
  name: 'classify',
  usage: '[TEXT ...] [flags]',
  description:
    'Classifies texts, or the rows of a file. A terminal shows a table; a pipe gets a JSON object per line. If the\n' +
    'rows hold the expected labels, the summary reports the accuracy. Put a text that begins with a dash after two\n' +
    'dashes: verdict classify -- "-5 degrees and a perfect day".',
  flags: CLASSIFY_FLAGS,
  examples: [
    'classify "This movie was absolutely fantastic!"',
    'classify --model intent --top-k 3 "I lost my card"',
    'classify --stream --input reviews.tsv',
    'classify --input questions.csv --text-column question --output answers.jsonl',
    'classify --input export.csv --delimiter ";" --encoding latin1 --keep all',
    'classify --input - < texts.txt | jq .label',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(CLASSIFY_FLAGS, argv);
    const source = await openSource(values, positionals, context);
    try {
      return await withClient(values, context, (client) => classifyAll(client, source, values, context));
    } finally {
      source.close();
    }
  },
};

/** The rows to classify; texts on the command line have no file, and so no summary. */
interface Source extends RowSource {
  readonly only: Row | undefined;
  readonly isFile: boolean;
}

async function openSource(
  values: ClassifyValues,
  texts: readonly string[],
  { stdin, stderr }: CliContext,
): Promise<Source> {
  const { input, output, pair } = values;
  if ((input === undefined) === (texts.length === 0)) {
    throw new UsageError(
      input === undefined ? 'give a text, or a file with --input' : 'give texts or --input, not both',
    );
  }
  if (pair !== undefined && texts.length !== 1) throw new UsageError('--pair needs exactly one text');
  if (input !== undefined) {
    if (output !== undefined && output !== '-' && isSameFile(input, output)) {
      throw new UsageError('--output would overwrite --input');
    }
    const reading = {
      columns: {
        text: values['text-column'],
        pair: values['pair-column'],
        label: values['label-column'],
        header: values.header,
      },
      keep: readKeep(values.keep),
      delimiter: values.delimiter === undefined ? undefined : readDelimiter(values.delimiter),
      encoding: values.encoding ?? DEFAULT_ENCODING,
      note: (text: string) => void stderr.write(`verdict classify: ${text}\n`),
    };
    const opened = await openRows(input, stdin, reading, values['input-format']);
    return { ...opened, only: undefined, isFile: true };
  }
  const rows = texts.map((text): Row => ({ text, textPair: pair, kept: [], endOffset: 0 }));
  return {
    rows: each(rows),
    totalBytes: undefined,
    close: () => undefined,
    only: rows.length === 1 ? rows[0] : undefined,
    isFile: false,
  };
}

/**
 * Whether both names lead to one file, even through links. If that cannot be determined, neither file can be opened.
 */
function isSameFile(input: string, output: string): boolean {
  if (resolve(input) === resolve(output)) return true;
  try {
    const [from, to] = [input, output].map((path) => statSync(path, { bigint: true }));
    return from?.isFile() === true && from.dev === to?.dev && from.ino === to.ino;
  } catch {
    return false;
  }
}

async function* each(rows: readonly Row[]): AsyncGenerator<Row> {
  yield* rows;
}

async function classifyAll(
  client: VerdictClient,
  source: Source,
  values: ClassifyValues,
  context: CliContext,
): Promise<number> {
  const signal = context.interruption();
  signal.addEventListener('abort', () => source.close(), { once: true });
  const sink = await openSink(values, source, context, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  if (sink === undefined) return EXIT.interrupted;
  const rows = source.isFile ? sendableRows(source.rows, client, signal) : source.rows;
  const feed = new RowFeed(rows, { strict: values.strict });
  const tally = new Tally();
  const now = () => performance.now();
  const progress = source.isFile ? startProgress(context.stderr, source.totalBytes, now) : SILENT;
  const startedAt = now();
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const result of classifyRows(client, feed, source.only, values, signal)) {
      tally.add(result);
      progress.update(tally.done, result.row.endOffset);
      await sink.write(result);
    }
  } catch (error) {
    failure = { error };
  }
  failure ??= feed.failure;
  progress.stop();
  const elapsedMs = now() - startedAt;
  try {
    await sink.close();
  } catch (error) {
    failure ??= { error };
  }
  if (failure?.error instanceof OutputClosedError) throw failure.error;
  const say = (line: string) => context.stderr.write(`${line}\n`);
  if (source.isFile && (failure === undefined || tally.done > 0)) tally.summary(elapsedMs).forEach(say);
  if (feed.stoppedAt !== undefined)
    say(`verdict classify: stopped at line ${feed.stoppedAt.line} (--strict)`);
  const isCutShort = failure !== undefined || feed.stoppedAt !== undefined || signal.aborted;
  if (isCutShort && toFile(values) && !(failure?.error instanceof OutputFailedError)) {
    say(`verdict classify: ${values.output} is incomplete: it holds ${counted(tally.done, 'result')}`);
  }
  if (signal.aborted) return EXIT.interrupted;
  if (failure !== undefined) throw failure.error;
  if (tally.malformed > 0) return EXIT.unanswered;
  return tally.failed > 0 ? EXIT.incomplete : EXIT.ok;
}

function classifyRows(
  client: VerdictClient,
  rows: RowFeed,
  only: Row | undefined,
  values: ClassifyValues,
  signal: AbortSignal,
): AsyncGenerator<RowResult> {
  const { model, version, activation, truncation, cache, window = DEFAULT_WINDOW } = values;
  const options = { topK: values['top-k'], minScore: values['min-score'], activation, truncation, cache };
  const how = { model, version, options, signal, window };
  if (values.stream) return streamRows(client, rows, how, values.order ?? 'request', values['timeout-ms']);
  if (only !== undefined) return singleRow(client, only, how);
  return batchRows(client, rows, how, values['batch-size'] ?? DEFAULT_BATCH_SIZE);
}

async function openSink(
  values: ClassifyValues,
  { isFile }: Source,
  { stdout }: CliContext,
  signal: AbortSignal,
): Promise<ResultSink> {
  if (toFile(values)) return new JsonSink(await LineWriter.toFile(values.output, signal));
  const asJson = values.json || values.output !== undefined || stdout.isTTY !== true;
  if (asJson) return new JsonSink(LineWriter.to(stdout));
  return new ScreenSink(stdout, isFile ? PREVIEW_ROWS : Number.POSITIVE_INFINITY);
}

/** Whether the results go to a file; `-` is standard output. */
function toFile(values: ClassifyValues): values is ClassifyValues & { readonly output: string } {
  return values.output !== undefined && values.output !== '-';
}
