import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { isJsonObject } from '../models/json-file.js';
import { FolderSource } from './folder-source.js';
import { MlflowArtifacts } from './mlflow-artifacts.js';
import { MlflowClient, type MlflowOptions } from './mlflow-client.js';
import { type S3Options, S3Source } from './s3-source.js';
import { isSafePath } from './safe-path.js';
import { RegistryError, UnusableSourceError } from './source-error.js';
import type { CopyOptions, ModelSource, Origin, SourceFile } from './types.js';

export type { MlflowOptions } from './mlflow-client.js';

const PREFIX = 'mlflow://';
/** Of a registered model: its name, and an alias or a version. */
const REFERENCE = /^mlflow:\/\/([^\p{Cc}/:@]{1,256})(?:@([\w-]{1,255})|\/([1-9][0-9]{0,8}))$/u;
/** A run or a logged model that stands for a place must end somewhere. */
const MOST_STEPS = 3;

interface ModelVersion {
  readonly version: string;
  readonly run: string;
  readonly artifactUri: string;
}

/** A version of a model that is registered with an MLflow server. Its artifacts may be there, or in S3. */
export class MlflowSource implements ModelSource {
  readonly files: readonly SourceFile[];
  readonly #artifacts: Pick<ModelSource, 'files' | 'copy'>;

  private constructor(
    readonly name: string,
    readonly shortName: string,
    readonly origin: Origin,
    artifacts: Pick<ModelSource, 'files' | 'copy'>,
  ) {
    this.files = artifacts.files;
    this.#artifacts = artifacts;
  }

  /** Whether a source is one of MLflow. */
  static isMeant(source: string): boolean {
    return source.startsWith(PREFIX);
  }

  /** What a source is called in the last part of its name; undefined: the reference is none. */
  static shortNameOf(reference: string): string | undefined {
    return REFERENCE.exec(reference)?.[1];
  }

  /**
   * @param reference `mlflow://NAME@ALIAS`, or `mlflow://NAME/VERSION`
   * @throws SourceError for another reference; RegistryError in words; the signal's reason
   */
  static async open(
    reference: string,
    { mlflow, s3 }: { readonly mlflow: MlflowOptions; readonly s3: S3Options },
    signal: AbortSignal,
  ): Promise<MlflowSource> {
    const [, model, alias, number] = REFERENCE.exec(reference) ?? [];
    if (model === undefined) {
      throw new UnusableSourceError(`"${reference}" must read mlflow://NAME@ALIAS or mlflow://NAME/VERSION`);
    }
    const client = new MlflowClient(mlflow, signal);
    const { version, run, artifactUri } = await versionOf(client, model, { alias, number });
    const artifacts = await artifactsAt(client, artifactUri, { reference, s3, signal });
    const listing = artifacts.origin?.revision ?? artifacts.files.map(({ path, bytes }) => [path, bytes]);
    const facts = JSON.stringify([client.endpoint, model, version, run, artifactUri, listing]);
    const origin = {
      revision: createHash('sha256').update(facts).digest('hex'),
      ...(alias !== undefined && { alias }),
      version,
      ...(run !== '' && { run }),
    };
    return new MlflowSource(reference, model, origin, artifacts);
  }

  copy(file: SourceFile, target: string, options: CopyOptions): Promise<void> {
    return this.#artifacts.copy(file, target, options);
  }
}

async function versionOf(
  client: MlflowClient,
  model: string,
  { alias, number }: { readonly alias: string | undefined; readonly number: string | undefined },
): Promise<ModelVersion> {
  const found =
    alias === undefined
      ? await client.ask(
          'mlflow/model-versions/get',
          { name: model, version: number ?? '' },
          `${model}/${number}`,
        )
      : await client.ask('mlflow/registered-models/alias', { name: model, alias }, `${model}@${alias}`);
  const { model_version: { version, run_id: run = '', status = 'READY' } = {} } = found as {
    readonly model_version?: Readonly<Record<string, unknown>>;
  };
  const isGood = /^[1-9][0-9]{0,8}$/.test(String(version)) && /^[\w-]{0,64}$/.test(String(run));
  if (!isGood) throw new RegistryError(`${client.endpoint} names no version of ${model}`);
  if (status !== 'READY') throw new RegistryError(`version ${String(version)} of ${model} is not ready yet`);
  const query = { name: model, version: String(version) };
  const what = `artifacts of ${model}/${String(version)}`;
  const { artifact_uri: artifactUri } = await client.ask(
    'mlflow/model-versions/get-download-uri',
    query,
    what,
  );
  if (typeof artifactUri !== 'string' || artifactUri === '') {
    throw new RegistryError(
      `${client.endpoint} does not say where version ${String(version)} of ${model} is`,
    );
  }
  return { version: String(version), run: String(run), artifactUri };
}

interface Place {
  /** The model, as users write it. */
  readonly reference: string;
  readonly s3: S3Options;
  readonly signal: AbortSignal;
}

type Artifacts = Pick<ModelSource, 'files' | 'copy'> & { readonly origin?: Origin | undefined };

/** Opens the folder that an address of MLflow stands for, wherever it is. */
async function artifactsAt(client: MlflowClient, uri: string, place: Place): Promise<Artifacts> {
  const { reference, s3, signal } = place;
  const located = await locate(client, uri, reference);
  if (located.startsWith('mlflow-artifacts:')) {
    return MlflowArtifacts.open(client, proxiedPath(client, located, reference), reference);
  }
  if (S3Source.isMeant(located)) return S3Source.open(located, s3, signal);
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(client.endpoint).hostname);
  if (isHere && /^(file:\/\/)?\//.test(located)) {
    return FolderSource.openNoted(located.startsWith('/') ? located : fileURLToPath(located), reference);
  }
  const [scheme = 'a folder'] = /^[a-z][a-z0-9+.-]{0,20}:/i.exec(located) ?? [];
  throw new RegistryError(
    `the artifacts of ${reference} are in ${scheme}, where they cannot be read from here: have the MLflow server hand them ` +
      'out (--artifacts-destination), or keep them in S3',
  );
}

/** Follows runs and logged models to the place of their artifacts. */
async function locate(client: MlflowClient, uri: string, reference: string): Promise<string> {
  let located = uri;
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const [, run, path = ''] = /^runs:\/+([\w-]{1,64})(\/.*)?$/.exec(located) ?? [];
    const [, model, rest = ''] = /^models:\/+(m-[\w-]{1,64})(\/.*)?$/.exec(located) ?? [];
    if (run !== undefined) {
      const answer = await client.ask('mlflow/runs/get', { run_id: run }, `run of ${reference}`);
      located = uriIn(answer.run, client) + path;
    } else if (model !== undefined) {
      const answer = await client.ask(`mlflow/logged-models/${model}`, {}, `logged model of ${reference}`);
      located = uriIn(answer.model, client) + rest;
    } else return located;
  }
  return located;
}

function uriIn(holder: unknown, { endpoint }: MlflowClient): string {
  const { info } = isJsonObject(holder) ? holder : {};
  const { artifact_uri: uri } = isJsonObject(info) ? info : {};
  if (typeof uri !== 'string' || uri === '')
    throw new RegistryError(`${endpoint} does not say where artifacts are`);
  return uri;
}

/** The folder below the artifacts of this server; an address may name the server, but no other. */
function proxiedPath({ endpoint }: MlflowClient, uri: string, reference: string): string {
  const [, host, path = ''] = /^mlflow-artifacts:(?:\/\/([^/]*))?\/*(.*?)\/*$/.exec(uri) ?? [];
  if (host !== undefined && host !== '' && host !== new URL(endpoint).host) {
    throw new RegistryError(`the artifacts of ${reference} are on another MLflow server than ${endpoint}`);
  }
  if (!isSafePath(path)) throw new RegistryError(`the artifacts of ${reference} are in no folder`);
  return path;
}
