import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { readJsonObject } from '../models/json-file.js';
import { refuseLfsPointer } from '../models/lfs-pointer.js';
import { externalPath, readGraph } from '../models/weights.js';
import type { Precision } from '../runtime/types.js';
import { type DownloadFolder, hashOf } from '../sources/download-folder.js';
import type { Layout } from '../sources/layout.js';
import { SourceError } from '../sources/source-error.js';
import type { ModelSource, SourceFile } from '../sources/types.js';
import { wordPieceTokenizer } from '../sources/word-piece.js';

export interface FilledVersion {
  /** How many bytes the weights of each precision have. */
  readonly weightBytes: Partial<Record<Precision, number>>;
  /** The digest of each file, by its path in the folder. */
  readonly sha256: Readonly<Record<string, string>>;
}

export interface FillOptions {
  readonly downloads: DownloadFolder;
  readonly signal: AbortSignal;
  readonly onProgress?: (file: SourceFile, bytes: number) => void;
}

/**
 * Puts a version's folder together: the files that the layout names, those that the graphs keep weights in, and where they are from.
 *
 * @throws SourceError in words; the file system's errors; the signal's reason
 */
export async function fillVersion(
  folder: string,
  source: ModelSource,
  layout: Layout,
  { downloads, signal, onProgress }: FillOptions,
): Promise<FilledVersion> {
  const copied = new Set<string>();
  const copy = async (file: SourceFile, target: string) => {
    if (copied.has(target)) return;
    copied.add(target);
    const path = join(folder, target);
    await mkdir(dirname(path), { recursive: true });
    await source.copy(file, path, { signal, downloads, onProgress: (bytes) => onProgress?.(file, bytes) });
  };
  await copy(layout.config, 'config.json');
  if (layout.tokenizerConfig !== undefined) await copy(layout.tokenizerConfig, 'tokenizer_config.json');
  if (layout.golden !== undefined) await copy(layout.golden, 'golden.json');
  if (layout.moderation !== undefined) await copy(layout.moderation, 'verdict.yaml');
  if (layout.tokenizer !== undefined) await copy(layout.tokenizer, 'tokenizer.json');
  else if (layout.vocabulary !== undefined) {
    await copy(layout.vocabulary, 'vocab.txt');
    await makeTokenizer(folder, source.name);
  }
  const weightBytes: Partial<Record<Precision, number>> = {};
  for (const { precision, graph, target } of layout.weights) {
    await copy(graph, target);
    const external = await externalFiles(source, graph, join(folder, target));
    for (const { file, path } of external) await copy(file, relative(folder, path));
    weightBytes[precision] = external.reduce((sum, { file }) => sum + file.bytes, graph.bytes);
  }
  if (source.origin === undefined) return { weightBytes, sha256: {} };
  const sha256 = await digestsIn(folder);
  const noted = { source: source.name, ...source.origin, sha256 };
  await writeFile(join(folder, 'origin.json'), `${JSON.stringify(noted, undefined, 2)}\n`);
  return { weightBytes, sha256 };
}

/** For those who ask later what a version is made of, and for a source that offers the same again. */
async function digestsIn(folder: string): Promise<Record<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sha256: Record<string, string> = {};
  for (const path of paths.sort()) {
    sha256[relative(folder, path).split(sep).join('/')] = await hashOf(path, 'sha256');
  }
  return sha256;
}

async function makeTokenizer(folder: string, source: string): Promise<void> {
  const vocabulary = join(folder, 'vocab.txt');
  const config = await readJsonObject(join(folder, 'config.json'));
  const tokenizer = wordPieceTokenizer(source, await readFile(vocabulary, 'utf8'), config);
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  await rm(vocabulary);
}

/** The files beside the graph that hold a part of its weights. */
async function externalFiles(source: ModelSource, graph: SourceFile, copied: string) {
  await refuseLfsPointer(copied);
  const { externalFiles: names } = await readGraph(copied);
  const home = graph.path.slice(0, graph.path.lastIndexOf('/') + 1);
  return names.map((name) => {
    const path = externalPath(copied, name);
    const found = home + relative(dirname(copied), path).split(sep).join('/');
    const file = source.files.find((candidate) => candidate.path === found);
    if (file === undefined) {
      throw new SourceError(`${source.name}: ${graph.path} keeps weights in ${found}, which is not there`);
    }
    return { file, path };
  });
}
