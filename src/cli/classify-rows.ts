import {
  type BatchResult,
  type ClassifyOptions,
  type VerdictClient,
  VerdictClientError,
} from '../client/index.js';
import type { Row } from './rows/row.js';

/** What became of one row. */
export type RowResult = BatchResult & { readonly row: Row; readonly index: number };

/** How rows are classified, whichever way they go. */
export interface RowOptions {
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly options: ClassifyOptions;
  readonly signal: AbortSignal;
  /** Rows under way at most. */
  readonly window: number;
}

/** All rows over one ClassifyStream. */
export async function* streamRows(
  client: VerdictClient,
  rows: AsyncIterable<Row>,
  { model, version, options, signal, window }: RowOptions,
  order: 'request' | 'completion',
  timeoutMs: number | undefined,
): AsyncGenerator<RowResult> {
  async function* items() {
    for await (const row of rows) yield { text: row.text, textPair: row.textPair, version, row };
  }
  const stream = client.classifyStream(items(), {
    defaultModel: model,
    defaultOptions: options,
    order,
    window,
    signal,
    timeoutMs,
  });
  for await (const { item, ...result } of stream) yield { ...result, row: item.row };
}

/** All rows in BatchClassify calls of `batchSize`, as many at once as the window holds, in order. */
export async function* batchRows(
  client: VerdictClient,
  rows: AsyncIterable<Row>,
  { model, version, options, signal, window }: RowOptions,
  batchSize: number,
): AsyncGenerator<RowResult> {
  const leaving = new AbortController();
  const call = { model, version, ...options, signal: AbortSignal.any([signal, leaving.signal]) };
  const pending: Promise<RowResult[]>[] = [];
  const most = Math.max(1, Math.floor(window / batchSize));
  try {
    for await (const { batch, firstIndex } of batches(rows, batchSize)) {
      const answer = classifyBatch(client, batch, firstIndex, call);
      // It is awaited below; until then its failure must not count as unhandled.
      answer.catch(() => undefined);
      pending.push(answer);
      if (pending.length >= most) yield* (await pending.shift()) ?? [];
    }
    for (const answer of pending) yield* await answer;
  } finally {
    leaving.abort();
  }
}

async function classifyBatch(
  client: VerdictClient,
  batch: readonly Row[],
  firstIndex: number,
  call: Parameters<VerdictClient['classifyBatch']>[1],
): Promise<RowResult[]> {
  const results = await client.classifyBatch(batch.map(toInput), call);
  return batch.flatMap((row, at) => {
    const result = results[at];
    return result === undefined ? [] : [{ ...result, row, index: firstIndex + at }];
  });
}

/** One row in one Classify call. An input that the server refuses is a failed row, not a failed call. */
export async function* singleRow(
  client: VerdictClient,
  row: Row,
  { model, version, options, signal }: RowOptions,
): AsyncGenerator<RowResult> {
  try {
    const classification = await client.classify(toInput(row), { model, version, ...options, signal });
    yield { ok: true, classification, row, index: 0 };
  } catch (error) {
    const isRefused = error instanceof VerdictClientError && error.code === 'INVALID_ARGUMENT';
    if (!isRefused || error.reason === 'CLIENT_ARGUMENT') throw error;
    yield { ok: false, error, row, index: 0 };
  }
}

function toInput({ text, textPair }: Row) {
  return textPair === undefined ? text : { text, textPair };
}

async function* batches(rows: AsyncIterable<Row>, size: number) {
  let batch: Row[] = [];
  let firstIndex = 0;
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield { batch, firstIndex };
    firstIndex += batch.length;
    batch = [];
  }
  if (batch.length > 0) yield { batch, firstIndex };
}
