import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Precision } from '../runtime/types.js';
import type { ModelManifest } from './manifest.js';

/**
 * `sha256:` and 64 hexadecimal digits over weights, tokeniser, labels, token limit and precision: all that decides the
 * logits of an input. Weights are hashed from the file, so that a changed file can never answer from an old cache.
 */
export async function modelDigest(manifest: ModelManifest, precision: Precision): Promise<string> {
  const weightsPath = manifest.weights[precision];
  if (weightsPath === undefined) throw new Error(`no ${precision} weights to digest`);
  const parts = await Promise.all([weightsPath, manifest.tokenizerJsonPath].map(fileDigest));
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  hash.update(JSON.stringify([precision, manifest.labels, manifest.maxTokens]));
  return `sha256:${hash.digest('hex')}`;
}

async function fileDigest(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest();
}
