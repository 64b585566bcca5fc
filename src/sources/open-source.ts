import { fileURLToPath } from 'node:url';
import { FolderSource } from './folder-source.js';
import { type HubOptions, HubSource } from './hub-source.js';
import { type MlflowOptions, MlflowSource } from './mlflow-source.js';
import { type S3Options, S3Source } from './s3-source.js';
import { SourceError, UnusableSourceError } from './source-error.js';
import type { ModelSource } from './types.js';

/** How to reach each kind of registry. */
export interface SourceAccess {
  readonly hub: HubOptions;
  readonly s3: S3Options;
  readonly mlflow: MlflowOptions;
}

/**
 * Opens a source by what it is called: `hf://`, `s3://`, `mlflow://`, `file://`, or a folder's path.
 * @throws SourceError in words; RegistryError; the signal's reason
 */
export async function openSource(
  reference: string,
  access: SourceAccess,
  signal: AbortSignal,
): Promise<ModelSource> {
  if (HubSource.isMeant(reference)) return HubSource.open(reference, access.hub, signal);
  if (S3Source.isMeant(reference)) return S3Source.open(reference, access.s3, signal);
  if (MlflowSource.isMeant(reference)) return MlflowSource.open(reference, access, signal);
  if (isFileUrl(reference)) return openFileUrl(reference);
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(reference) ?? [];
  try {
    return await FolderSource.open(reference);
  } catch (error) {
    // What people copy from the Hub's pages: an address, or the name alone.
    const [, repo] = /^(?:https?:\/\/[^/]+\/)?([\w.-]+\/[\w.-]+)\/?$/.exec(reference) ?? [];
    if (!(error instanceof SourceError)) throw error;
    if (repo !== undefined) {
      throw new SourceError(`${error.message}. A repository of the Hub is written hf://${repo}`, {
        cause: error,
      });
    }
    if (scheme === undefined) throw error;
    throw new UnusableSourceError(
      `no source is called ${scheme}…: hf://, mlflow://, s3:// and file:// are known`,
      {
        cause: error,
      },
    );
  }
}

/**
 * What a source is called in the last part of its name, before it is opened; undefined: the reference cannot be read.
 * @param reference as of `openSource`
 */
export function shortNameOf(reference: string): string | undefined {
  if (HubSource.isMeant(reference)) return HubSource.shortNameOf(reference);
  if (S3Source.isMeant(reference)) return S3Source.shortNameOf(reference);
  if (MlflowSource.isMeant(reference)) return MlflowSource.shortNameOf(reference);
  const path = isFileUrl(reference) ? pathOf(reference) : reference;
  return path === undefined ? undefined : FolderSource.shortNameOf(path);
}

async function openFileUrl(reference: string): Promise<ModelSource> {
  const path = pathOf(reference);
  if (path === undefined) throw new UnusableSourceError(`"${reference}" must read file:///absolute/path`);
  return FolderSource.openNoted(path, reference);
}

function isFileUrl(reference: string): boolean {
  return /^file:/i.test(reference);
}

/** Undefined: it stands for no path of this machine. */
function pathOf(fileUrl: string): string | undefined {
  try {
    return fileURLToPath(fileUrl);
  } catch {
    return undefined;
  }
}
