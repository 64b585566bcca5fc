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
  if (/^file:/i.test(reference)) return openFileUrl(reference);
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

async function openFileUrl(reference: string): Promise<ModelSource> {
  let path: string;
  try {
    path = fileURLToPath(reference);
  } catch {
    throw new UnusableSourceError(`"${reference}" must read file:///absolute/path`);
  }
  return FolderSource.openNoted(path, reference);
}
