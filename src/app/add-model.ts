import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { readJsonObject } from '../models/json-file.js';
import { refuseLfsPointer } from '../models/lfs-pointer.js';
import { ModelLoadError } from '../models/model-load-error.js';
import { modelNamePattern } from '../models/model-name.js';
import type { VerifyCheck, VerifyReport } from '../models/verify.js';
import { externalPath, readGraph } from '../models/weights.js';
import type { Precision } from '../runtime/types.js';
import { belowFolder } from '../sources/below-folder.js';
import { DownloadFolder, hashOf } from '../sources/download-folder.js';
import { findLayout, type Layout } from '../sources/layout.js';
import { openSource, type SourceAccess } from '../sources/open-source.js';
import { SourceError } from '../sources/source-error.js';
import { Staging } from '../sources/staging.js';
import type { ModelSource, Origin, SourceFile } from '../sources/types.js';
import { wordPieceTokenizer } from '../sources/word-piece.js';
import { verifyModel } from './verify-model.js';

export type { SourceAccess } from '../sources/open-source.js';
export { RegistryError, SourceError } from '../sources/source-error.js';

export interface AddModelOptions {
  /** `hf://org/name@revision`, `s3://bucket/prefix`, `file:///folder`, or a folder's path. */
  readonly source: string;
  /** The folder that servers read models from. */
  readonly modelsDir: string;
  /** What the model is to be called. Default: as its source is. */
  readonly name: string | undefined;
  /** The folder of the source that holds the model. Default: its root, or the only folder that does. */
  readonly path?: string | undefined;
  /** Empty: those that `VERDICT_PRECISION=auto` could choose from. */
  readonly precisions: readonly Precision[];
  readonly access: SourceAccess;
  readonly signal: AbortSignal;
  /** A file is being copied or downloaded. */
  readonly onProgress?: (file: SourceFile, bytes: number) => void;
  /** All files are there, and the model is tried. */
  readonly onVerify?: () => void;
}

export interface AddedModel {
  readonly name: string;
  /** Undefined: it did not pass, and nothing was added. */
  readonly directory: string | undefined;
  readonly origin: Origin | undefined;
  readonly report: VerifyReport;
  /** ONNX files that the source holds besides. */
  readonly others: readonly string[];
  readonly weightBytes: Partial<Record<Precision, number>>;
}

/**
 * Takes a model from where it is into the models folder, as the next version of its name, if it passes the checks of `models
 * verify`. A failure or a killed process leaves the models folder as it was.
 *
 * @throws SourceError in words; the file system's errors; the signal's reason
 */
export async function addModel(options: AddModelOptions): Promise<AddedModel> {
  const { source: reference, modelsDir, access, signal } = options;
  const source = belowFolder(await openSource(reference, access, signal), options.path);
  const name = modelName(source, options.name);
  const layout = findLayout(source, options.precisions);
  const staging = await Staging.open(modelsDir);
  const downloads = new DownloadFolder(modelsDir, name);
  try {
    const folder = staging.folder(name);
    const weightBytes = await fill(folder, source, layout, downloads, options);
    options.onVerify?.();
    const named = (check: VerifyCheck) => ({
      ...check,
      detail: inSource(check.detail, folder, source.name),
    });
    const report = await verifyModel(folder, { measures: true, signal });
    signal.throwIfAborted();
    const directory = report.ok ? await staging.publish(name) : undefined;
    // What does not pass would not pass the next time either.
    await downloads.clear();
    return {
      name,
      directory,
      origin: source.origin,
      report: { ...report, checks: report.checks.map(named) },
      others: layout.others.map(({ path }) => path),
      weightBytes,
    };
  } catch (error) {
    if (!(error instanceof ModelLoadError)) throw error;
    throw new SourceError(inSource(error.message, staging.folder(name), source.name), { cause: error });
  } finally {
    await staging.discard();
    await downloads.release();
  }
}

function modelName(source: ModelSource, given: string | undefined): string {
  const name = given ?? source.shortName.toLowerCase().replaceAll(/[^a-z0-9._-]/g, '-');
  if (modelNamePattern.test(name)) return name;
  const what =
    given === undefined ? `${source.name} cannot be called "${name}"` : `--name cannot be "${name}"`;
  throw new SourceError(
    `${what}: a model's name must match ${modelNamePattern.source}. Give one with --name`,
  );
}

/** @returns how many bytes the weights of each precision have */
async function fill(
  folder: string,
  source: ModelSource,
  layout: Layout,
  downloads: DownloadFolder,
  { signal, onProgress }: AddModelOptions,
): Promise<AddedModel['weightBytes']> {
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
  if (source.origin !== undefined) await writeOrigin(folder, source.name, source.origin);
  return weightBytes;
}

/** Where the version is from, and the digests of its files, for those who ask later. */
async function writeOrigin(folder: string, source: string, origin: Origin): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sha256: Record<string, string> = {};
  for (const path of paths.sort()) {
    sha256[relative(folder, path).split(sep).join('/')] = await hashOf(path, 'sha256');
  }
  const noted = { source, ...origin, sha256 };
  await writeFile(join(folder, 'origin.json'), `${JSON.stringify(noted, undefined, 2)}\n`);
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

/** The folder in which the version was put together is gone when somebody reads this. */
function inSource(message: string, folder: string, source: string): string {
  return message.replaceAll(folder, source);
}
