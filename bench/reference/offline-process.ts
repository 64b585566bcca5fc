import * as ort from 'onnxruntime-node';
import { serveParent } from '../child.js';
import type { OfflinePass } from './offline-ceiling.js';

// The raw ceiling: the ONNX file alone, all inputs known, sorted by length, batches filled to a budget of padded
// tokens. No queue, no protocol, no process boundary.

interface Setup {
  readonly modelPath: string;
  readonly threads: number;
  readonly encodings: readonly Int32Array[];
}

/** Other inputs, all inputs in sorted batches, or one input alone. */
type Request =
  | { readonly encodings: readonly Int32Array[] }
  | { readonly budgetTokens: number }
  | { readonly input: number };

let session: ort.InferenceSession | undefined;
let encodings: readonly Int32Array[] = [];

serveParent(async (request: Setup | Request) => {
  if ('modelPath' in request) {
    session = await ort.InferenceSession.create(request.modelPath, {
      intraOpNumThreads: request.threads,
      interOpNumThreads: 1,
      extra: { session: { intra_op: { allow_spinning: '0' }, dynamic_block_base: '4' } },
    });
  }
  if ('encodings' in request) {
    encodings = request.encodings;
    if (encodings.length > 0) await runBatch(encodings.slice(0, 1));
    return {};
  }
  return 'input' in request ? await runOne(request.input) : await runSorted(request.budgetTokens);
});

async function runSorted(budgetTokens: number): Promise<OfflinePass> {
  const batches = sortedBatches(budgetTokens);
  const startedAt = performance.now();
  for (const batch of batches) await runBatch(batch);
  const elapsedMs = performance.now() - startedAt;
  const paddedTokens = batches.reduce((sum, batch) => sum + batch.length * (batch.at(-1)?.length ?? 0), 0);
  const texts = encodings.length;
  return { elapsedMs, texts, paddedTokens, textsPerSecond: (1000 * texts) / elapsedMs };
}

async function runOne(input: number): Promise<{ durationMs: number }> {
  const startedAt = performance.now();
  await runBatch(encodings.slice(input, input + 1));
  return { durationMs: performance.now() - startedAt };
}

function sortedBatches(budgetTokens: number): Int32Array[][] {
  const sorted = [...encodings].sort((a, b) => a.length - b.length);
  const batches: Int32Array[][] = [];
  let batch: Int32Array[] = [];
  for (const encoding of sorted) {
    if (batch.length > 0 && encoding.length * (batch.length + 1) > budgetTokens) {
      batches.push(batch);
      batch = [];
    }
    batch.push(encoding);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

async function runBatch(batch: readonly Int32Array[]): Promise<void> {
  if (session === undefined) throw new Error('no session yet');
  const longest = batch.reduce((max, encoding) => Math.max(max, encoding.length), 0);
  const ids = new BigInt64Array(batch.length * longest);
  const mask = new BigInt64Array(batch.length * longest);
  // The low halves of the 64-bit numbers (little-endian): no BigInt per token.
  const idLows = new Int32Array(ids.buffer);
  const maskLows = new Int32Array(mask.buffer);
  batch.forEach((encoding, row) => {
    for (let column = 0; column < encoding.length; column++) {
      const at = 2 * (row * longest + column);
      idLows[at] = encoding[column] ?? 0;
      maskLows[at] = 1;
    }
  });
  const shape = [batch.length, longest];
  const types = session.inputNames.includes('token_type_ids')
    ? { token_type_ids: new ort.Tensor('int64', new BigInt64Array(ids.length), shape) }
    : {};
  await session.run({
    input_ids: new ort.Tensor('int64', ids, shape),
    attention_mask: new ort.Tensor('int64', mask, shape),
    ...types,
  });
}
