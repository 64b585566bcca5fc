import { isJsonObject } from '../models/json-file.js';
import type { MlflowClient } from './mlflow-client.js';
import { isSafePath } from './safe-path.js';
import { RegistryError, SourceError } from './source-error.js';
import type { CopyOptions, SourceFile } from './types.js';

const ARTIFACTS = 'mlflow-artifacts/artifacts';
const MOST_FILES = 10_000;
/** One for each folder. */
const MOST_LISTINGS = 200;
const MOST_DEEP = 5;

/** The files below a folder of artifacts that the MLflow server hands out itself. */
export class MlflowArtifacts {
  readonly files: readonly SourceFile[];
  readonly #client: MlflowClient;
  readonly #root: string;
  readonly #name: string;

  private constructor(client: MlflowClient, root: string, name: string, files: readonly SourceFile[]) {
    this.#client = client;
    this.#root = root;
    this.#name = name;
    this.files = files;
  }

  /**
   * @param root the folder, below the server's artifacts
   * @param name of the model, for messages
   * @throws RegistryError in words; the signal's reason
   */
  static async open(client: MlflowClient, root: string, name: string): Promise<MlflowArtifacts> {
    const files: SourceFile[] = [];
    const folders = [{ below: '', depth: 1 }];
    for (let listings = 1; ; listings++) {
      const folder = folders.pop();
      if (folder === undefined) return new MlflowArtifacts(client, root, name, files);
      const { below, depth } = folder;
      if (listings > MOST_LISTINGS || depth > MOST_DEEP) {
        throw new RegistryError(
          `${name} holds more than ${MOST_LISTINGS} folders, or folders more than ${MOST_DEEP} deep`,
        );
      }
      const path = below === '' ? root : `${root}/${below}`;
      const { files: listed = [] } = await client.ask(ARTIFACTS, { path }, `artifacts of ${name}`);
      if (!Array.isArray(listed))
        throw new RegistryError(`${name}: its artifacts are not listed as MLflow does`);
      for (const entry of listed) {
        const { isFolder, file } = entryIn(entry, below, name);
        if (isFolder) folders.push({ below: file.path, depth: depth + 1 });
        else files.push(file);
        if (files.length > MOST_FILES) throw new RegistryError(`${name} holds more than ${MOST_FILES} files`);
      }
    }
  }

  async copy({ path, bytes }: SourceFile, target: string, options: CopyOptions): Promise<void> {
    const { signal, downloads, onProgress } = options;
    const place = `${this.#root}/${path}`;
    if (!this.files.some((file) => file.path === path))
      throw new SourceError(`${this.#name} holds no ${path}`);
    const file = {
      path: `${ARTIFACTS}/${place.split('/').map(encodeURIComponent).join('/')}`,
      bytes,
      what: `${path} of ${this.#name}`,
    };
    const identity = [this.#client.endpoint, place];
    const download = { name: file.what, identity, bytes, digest: undefined };
    await downloads.bring(download, target, signal, async (from, write) => {
      let done = from;
      await this.#client.read(file, from, async (chunk) => {
        await write(chunk);
        done += chunk.length;
        if (done < bytes) onProgress(done);
      });
    });
    onProgress(bytes);
  }
}

/** @throws RegistryError for an entry of which one part cannot be right */
function entryIn(entry: unknown, below: string, name: string): { isFolder: boolean; file: SourceFile } {
  const { path: last, is_dir: isFolder = false, file_size: size } = isJsonObject(entry) ? entry : {};
  const path = below === '' ? last : `${below}/${String(last)}`;
  // MLflow's protocol buffers write a number of 64 bits as text.
  const bytes = typeof size === 'string' && /^[0-9]{1,16}$/.test(size) ? Number(size) : (size ?? 0);
  const isGood =
    typeof last === 'string' &&
    isSafePath(path) &&
    typeof isFolder === 'boolean' &&
    (isFolder || (Number.isSafeInteger(bytes) && (bytes as number) >= 0));
  if (!isGood) throw new RegistryError(`${name}: an artifact is listed without a valid path or size`);
  return { isFolder, file: { path: path as string, bytes: bytes as number } };
}
