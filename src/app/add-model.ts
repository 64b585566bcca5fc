import { isDeepStrictEqual } from 'node:util';
import { ModelLoadError } from '../models/model-load-error.js';
import { modelNamePattern } from '../models/model-name.js';
import type { VerifyCheck, VerifyReport } from '../models/verify.js';
import type { Precision } from '../runtime/types.js';
import { belowFolder } from '../sources/below-folder.js';
import { DownloadFolder } from '../sources/download-folder.js';
import { findLayout } from '../sources/layout.js';
import { openSource, type SourceAccess } from '../sources/open-source.js';
import { latestFrom, revisionOf } from '../sources/published-origin.js';
import { SourceError } from '../sources/source-error.js';
import { Staging } from '../sources/staging.js';
import type { ModelSource, Origin, SourceFile } from '../sources/types.js';
import { type FilledVersion, fillVersion } from './fill-version.js';
import { verifyModel } from './verify-model.js';

export type { SourceAccess } from '../sources/open-source.js';
export { RegistryError, SourceError } from '../sources/source-error.js';

export interface AddModelOptions extends TakeModelOptions {
  /** `hf://org/name@revision`, `mlflow://NAME@ALIAS`, `s3://bucket/prefix`, `file:///folder`, or a folder's path. */
  readonly source: string;
  readonly access: SourceAccess;
}

export interface TakeModelOptions {
  /** The folder that servers read models from. */
  readonly modelsDir: string;
  /** What the model is to be called. Default: as its source is. */
  readonly name: string | undefined;
  /** The folder of the source that holds the model. Default: its root, or the only folder that does. */
  readonly path?: string | undefined;
  /** Empty: those that `VERDICT_PRECISION=auto` could choose from. */
  readonly precisions: readonly Precision[];
  readonly signal: AbortSignal;
  /** A file is being copied or downloaded. */
  readonly onProgress?: (file: SourceFile, bytes: number) => void;
  /** All files are there, and the model is tried. */
  readonly onVerify?: () => void;
  /** Runs what takes processors and memory. Default: at once. */
  readonly inTurn?: <T>(work: () => Promise<T>) => Promise<T>;
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
 * verify`. A failure or a killed process leaves the versions there as they were.
 *
 * @throws SourceError in words; the file system's errors; the signal's reason
 */
export async function addModel(options: AddModelOptions): Promise<AddedModel> {
  const source = await openSource(options.source, options.access, options.signal);
  const name = modelName(source, options.name);
  const downloads = new DownloadFolder(options.modelsDir, name);
  try {
    return await take(source, { name, downloads }, options);
  } finally {
    await downloads.release();
  }
}

/**
 * The same, unless the last version from this source has its content already. One process at a time does this for a model.
 *
 * @returns undefined if nothing is new
 * @throws as `addModel` does
 */
export async function addModelIfNew(
  source: ModelSource,
  options: TakeModelOptions,
): Promise<AddedModel | undefined> {
  const name = modelName(source, options.name);
  const revision = revisionOf(source.origin);
  const last = () => latestFrom(options.modelsDir, name, source.name);
  if ((await last())?.revision === revision) return undefined;
  const downloads = new DownloadFolder(options.modelsDir, name);
  try {
    await downloads.lock(options.signal);
    // Another process may have added it meanwhile.
    const former = await last();
    if (former?.revision === revision) return undefined;
    const refuseKnown = (sha256: FilledVersion['sha256']) => {
      if (isDeepStrictEqual(sha256, former?.sha256)) throw new NothingNew();
    };
    return await take(source, { name, downloads, refuseKnown }, options);
  } catch (error) {
    if (!(error instanceof NothingNew)) throw error;
    await downloads.clear();
    return undefined;
  } finally {
    await downloads.release();
  }
}

/** Ends an addition whose files are those of the version before. */
class NothingNew extends Error {}

interface Taking {
  readonly name: string;
  readonly downloads: DownloadFolder;
  /** @throws Error to leave it at that */
  readonly refuseKnown?: (sha256: FilledVersion['sha256']) => void;
}

async function take(
  whole: ModelSource,
  { name, downloads, refuseKnown }: Taking,
  options: TakeModelOptions,
): Promise<AddedModel> {
  const { modelsDir, signal, inTurn = (work) => work() } = options;
  const source = belowFolder(whole, options.path);
  const layout = findLayout(source, options.precisions);
  const staging = await Staging.open(modelsDir);
  try {
    const folder = staging.folder(name);
    const { weightBytes, sha256 } = await fillVersion(folder, source, layout, { ...options, downloads });
    refuseKnown?.(sha256);
    const report = await inTurn(() => {
      options.onVerify?.();
      return verifyModel(folder, { measures: true, signal });
    });
    signal.throwIfAborted();
    const directory = report.ok ? await staging.publish(name) : undefined;
    // What does not pass would not pass the next time either.
    await downloads.clear();
    const named = (check: VerifyCheck) => ({
      ...check,
      detail: inSource(check.detail, folder, source.name),
    });
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
  }
}

/** What a model is called whose source has that name, unless it is given another. */
export function derivedName(shortName: string): string {
  return shortName.toLowerCase().replaceAll(/[^a-z0-9._-]/g, '-');
}

function modelName(source: ModelSource, given: string | undefined): string {
  const name = given ?? derivedName(source.shortName);
  if (modelNamePattern.test(name)) return name;
  const what =
    given === undefined ? `${source.name} cannot be called "${name}"` : `--name cannot be "${name}"`;
  throw new SourceError(
    `${what}: a model's name must match ${modelNamePattern.source}. Give one with --name`,
  );
}

/** The folder in which the version was put together is gone when somebody reads this. */
function inSource(message: string, folder: string, source: string): string {
  return message.replaceAll(folder, source);
}
