import {
  type ClassifyOptions,
  type VerdictClient,
  VerdictClientError,
} from '../../clients/typescript/src/index.js';
import { answered, type RowResult, unanswered } from './row-result.js';
import { type InputRow, isMalformed, type Row } from './rows/row.js';

/** How rows are classified, in batches or alone. */
export interface RowOptions {
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly options: ClassifyOptions;
  readonly signal: AbortSignal;
  /** Most rows under way. */
  readonly window: number;
}

/**
 * Sends all rows in BatchClassify calls of `batchSize`, in order, as many at once as the window holds. After a failed
 * call it starts no more; those under way are still answered, and the failure is thrown at the end.
 */
export async function* batchRows(
  client: VerdictClient,
  rows: AsyncIterable<InputRow>,
  { model, version, options, signal, window }: RowOptions,
  batchSize: number,
): AsyncGenerator<RowResult> {
  const leaving = new AbortController();
  const call = { model, version, ...options, signal: AbortSignal.any([signal, leaving.signal]) };
  const pending: Promise<Outcome>[] = [];
  const most = Math.max(1, Math.floor(window / batchSize));
  let failure: { readonly error: unknown } | undefined;
  async function* next(): AsyncGenerator<RowResult> {
    const outcome = await pending.shift();
    if (outcome === undefined) return;
    if ('error' in outcome) failure ??= outcome;
    else yield* outcome.results;
  }
  try {
    for await (const { batch, firstIndex } of batches(rows, batchSize)) {
      pending.push(settled(classifyBatch(client, batch, firstIndex, call)));
      if (pending.length >= most) yield* next();
      if (failure !== undefined) break;
    }
    while (pending.length > 0) yield* next();
    if (failure !== undefined) throw failure.error;
  } finally {
    leaving.abort();
  }
}

type Outcome = { readonly results: readonly RowResult[] } | { readonly error: unknown };

async function settled(answer: Promise<readonly RowResult[]>): Promise<Outcome> {
  try {
    return { results: await answer };
  } catch (error) {
    return { error };
  }
}

/** Malformed rows are not sent, and keep their place among the results. */
async function classifyBatch(
  client: VerdictClient,
  batch: readonly InputRow[],
  firstIndex: number,
  call: Parameters<VerdictClient['classifyBatch']>[1],
): Promise<RowResult[]> {
  const inputs = batch.flatMap((row) => (isMalformed(row) ? [] : [toInput(row)]));
  const results = inputs.length === 0 ? [] : await client.classifyBatch(inputs, call);
  const next = results.values();
  return batch.flatMap((row, at) => {
    const index = firstIndex + at;
    if (isMalformed(row)) return [unanswered({ row, index })];
    const { value } = next.next();
    return value === undefined ? [] : [answered({ row, index }, value)];
  });
}

/** Sends one row in one Classify call. An input that the server refuses is a failed row, not a failed call. */
export async function* singleRow(
  client: VerdictClient,
  row: Row,
  { model, version, options, signal }: RowOptions,
): AsyncGenerator<RowResult> {
  try {
    const classification = await client.classify(toInput(row), { model, version, ...options, signal });
    yield answered({ row, index: 0 }, { ok: true, classification });
  } catch (error) {
    const isRefused = error instanceof VerdictClientError && error.code === 'INVALID_ARGUMENT';
    if (!isRefused || error.reason === 'CLIENT_ARGUMENT') throw error;
    yield answered({ row, index: 0 }, { ok: false, error });
  }
}

function toInput({ text, textPair }: Row) {
  return textPair === undefined ? text : { text, textPair };
}

async function* batches(rows: AsyncIterable<InputRow>, size: number) {
  let batch: InputRow[] = [];
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
