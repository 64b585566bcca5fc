import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Precision } from '../runtime/types.js';
import { tokenizerFingerprint } from '../tokenizer/fingerprint.js';
import type { ModelManifest } from './manifest.js';
import type { Batching } from './types.js';

/** Files beside the weights that decide how a text becomes tokens. */
const TOKENIZER_FILES = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];

/** Raised when what is hashed changes. */
const LAYOUT = 2;

/**
 * `sha256:` and 64 hexadecimal digits over all that decides the logits of an input: the graph, the files that hold weights
 * of their own, the tokeniser's files and the code that reads them, labels, padding, token limit, default truncation,
 * precision, and how inputs may share a batch. Files are hashed as they are now, so that a changed one can never answer from an old cache.
 *
 * @throws the file system's error
 */
export async function modelDigest(
  manifest: ModelManifest,
  precision: Precision,
  batching: Batching,
  padId: number,
): Promise<string> {
  const weights = manifest.weights[precision];
  if (weights === undefined) throw new Error(`no ${precision} weights to digest`);
  const folder = dirname(weights.path);
  const external = [...weights.externalPaths].sort().map((path) => ({ name: relative(folder, path), path }));
  const files = [
    { name: basename(weights.path), path: weights.path },
    ...external,
    ...(await tokenizerFiles(manifest.directory)),
  ];
  const contents = await Promise.all(files.map(async ({ name, path }) => [name, await fileDigest(path)]));
  const { labels, maxTokens, defaultTruncation } = manifest;
  const settings = { precision, batching, labels, maxTokens, defaultTruncation, padId };
  const whole = JSON.stringify([LAYOUT, tokenizerFingerprint(), contents, settings]);
  return `sha256:${createHash('sha256').update(whole).digest('hex')}`;
}

async function tokenizerFiles(directory: string): Promise<{ name: string; path: string }[]> {
  const files = TOKENIZER_FILES.map((name) => ({ name, path: join(directory, name) }));
  const present = await Promise.all(
    files.map(({ path }) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return files.filter((_, index) => present[index]);
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
