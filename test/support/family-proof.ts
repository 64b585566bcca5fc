import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calibrate } from '../../src/models/calibrate.js';
import { type Golden, readGolden } from '../../src/models/golden.js';
import { readManifest } from '../../src/models/manifest.js';
import { proveSession, type SessionProof } from '../../src/models/prove-session.js';
import type { Batching } from '../../src/models/types.js';
import type { Preprocessor } from '../../src/preprocessing/preprocessor.js';
import { TextPreprocessor } from '../../src/preprocessing/text-preprocessor.js';
import type { Encoded } from '../../src/runtime/feeds.js';
import { openSession } from '../../src/runtime/open-session.js';
import type { RunResult } from '../../src/runtime/types.js';
import type { TokenizerPool } from '../../src/tokenizer/tokenizer-pool.js';
import type { TextInput } from '../../src/tokenizer/types.js';
import { repositoryRoot } from './repository.js';

export const familiesFolder = join(repositoryRoot, 'test/fixtures/families');

const TOLERANCE = 1e-3;
const LIMITS = { openTimeoutMs: 60_000, runTimeoutMs: 60_000 };

/** What a family's model was seen to do. */
export interface FamilyProof {
  readonly name: string;
  readonly modelType: string;
  readonly tokenizerClass: string;
  readonly inputs: readonly string[];
  readonly texts: number;
  readonly pairs: number;
  readonly labels: number;
  readonly proof: SessionProof;
  /** Between the answers and Transformers', alone and beside others. */
  readonly largestDifference: number;
}

type Run = (batch: readonly Encoded[]) => Promise<RunResult>;

/**
 * Compares a family's model with what Transformers answered: token ids, and logits alone and in the batches that are
 * allowed. How inputs may share a batch is found without the known answers, as for a model that has none.
 */
export async function proveFamily(name: string, tokenizers: TokenizerPool): Promise<FamilyProof> {
  const directory = join(familiesFolder, name, '1');
  const manifest = await readManifest(name, '1', directory);
  const golden = await readGolden(manifest.goldenPath, manifest.labels);
  const weights = manifest.weights.fp32;
  assert.ok(golden !== undefined && weights !== undefined);
  const preprocessor = new TextPreprocessor(await tokenizers.load(manifest), manifest);
  const encoded = await encodeAll(name, golden, preprocessor);
  const session = await openSession(
    {
      ...{ modelPath: weights.path, device: 'cpu', deviceId: 0, intraOpThreads: 1 },
      ...{ feeds: preprocessor.feeds, labelCount: manifest.labels.length },
    },
    LIMITS,
  );
  try {
    const run = session.run.bind(session);
    const subject = { manifest, precision: 'fp32', weights, preprocessor } as const;
    const proof = await proveSession(run, { ...subject, golden: undefined });
    assert.deepEqual(
      await proveSession(run, { ...subject, golden }),
      proof,
      `${name}: other texts, another proof`,
    );
    await calibrate(run, preprocessor, { timeLimitMs: 0, maxItems: 8 });
    const rows = encoded.map((input, index) => ({ input, logits: golden.entries[index]?.logits ?? [] }));
    const batches = [...rows.map((row) => [row]), ...batchesOf(rows, proof.batching)];
    let largestDifference = 0;
    for (const batch of batches) {
      largestDifference = Math.max(largestDifference, await differenceOf(batch, run));
    }
    assert.ok(largestDifference <= TOLERANCE, `${name}: a logit differs by ${largestDifference}`);
    return {
      ...{ name, proof, largestDifference, ...(await namesOf(directory)) },
      inputs: session.info.inputs,
      texts: golden.entries.filter(({ input }) => input.textPair === undefined).length,
      pairs: golden.entries.filter(({ input }) => input.textPair !== undefined).length,
      labels: manifest.labels.length,
    };
  } finally {
    await session.close();
  }
}

async function encodeAll(
  name: string,
  golden: Golden<TextInput>,
  preprocessor: Preprocessor<TextInput>,
): Promise<Encoded[]> {
  const encoded: Encoded[] = [];
  for (const { input, tensors, truncated } of golden.entries) {
    const found = await preprocessor.encode(input, 'end');
    const where = `${name}: ${JSON.stringify(input)}`;
    assert.deepEqual([...(found.tensors.input_ids ?? [])], tensors.input_ids, where);
    assert.equal(found.truncated, truncated, where);
    encoded.push(found);
  }
  return encoded;
}

interface Row {
  readonly input: Encoded;
  readonly logits: readonly number[];
}

/** As large as the rung allows, in the order of the file: texts of many lengths, and pairs, side by side. */
function batchesOf(rows: readonly Row[], batching: Batching): Row[][] {
  if (batching === 'one_at_a_time') return [];
  if (batching === 'padded') return [[...rows], rows.filter((_, index) => index % 3 === 0)];
  const costs = new Set(rows.map(({ input }) => input.cost));
  return [...costs].map((cost) => rows.filter(({ input }) => input.cost === cost));
}

async function differenceOf(batch: readonly Row[], run: Run): Promise<number> {
  const { logits } = await run(batch.map(({ input }) => input));
  const differences = batch.flatMap((row, index) =>
    row.logits.map((value, label) => Math.abs(value - (logits[index]?.[label] ?? Number.NaN))),
  );
  assert.ok(differences.every(Number.isFinite));
  return Math.max(...differences);
}

async function namesOf(directory: string): Promise<{ modelType: string; tokenizerClass: string }> {
  const read = async (file: string) => JSON.parse(await readFile(join(directory, file), 'utf8'));
  const { model_type: modelType } = await read('config.json');
  const { tokenizer_class: tokenizerClass } = await read('tokenizer_config.json');
  return { modelType, tokenizerClass };
}
