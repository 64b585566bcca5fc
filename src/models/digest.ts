import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';
import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { Precision } from '../runtime/types.js';
import type { ModelManifest } from './manifest.js';
import type { Batching } from './types.js';

/** Raised when what is hashed changes. */
const LAYOUT = 3;

/**
 * `sha256:` and 64 hexadecimal digits over all that decides the logits of an input: the graph, the files that hold weights
 * of their own, what the preprocessor is made of, labels, default truncation, precision, and how inputs may share a batch.
 * What is hashed is what is served: weights that have changed since the model began to load are refused.
 *
 * @throws ModelLoadError for weights that have changed; the file system's error
 */
export async function modelDigest(
  manifest: ModelManifest,
  precision: Precision,
  batching: Batching,
  preprocessor: Pick<Preprocessor<never>, 'digest'>,
): Promise<string> {
  const weights = manifest.weights[precision];
  if (weights === undefined) throw new Error(`no ${precision} weights to digest`);
  const folder = dirname(weights.path);
  const named = weights.files.map((file) => ({ name: relative(folder, file.path), file }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  const contents = await Promise.all(named.map(async ({ name, file }) => [name, await file.digest()]));
  const { labels, defaultTruncation } = manifest;
  const settings = { precision, batching, labels, defaultTruncation };
  const whole = JSON.stringify([LAYOUT, preprocessor.digest, contents, settings]);
  return `sha256:${createHash('sha256').update(whole).digest('hex')}`;
}
