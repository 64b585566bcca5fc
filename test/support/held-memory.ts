import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from './repository.js';
import type { ServerProcess } from './server-process.js';
import { until } from './until.js';

/**
 * What JavaScript holds in a server after a full collection, in the heap and outside it. Two readings of one that leaks nothing
 * differ by less than a percent, where its resident memory may differ by a third: garbage, and pages that allocators keep.
 */
export class HeldMemory {
  /** What the server has to be started with. */
  readonly settings: Readonly<Record<string, string>>;
  readonly #file: string;
  #collections = 0;

  /** @param nodeOptions further options of Node.js for the server */
  constructor(folder: string, nodeOptions = '') {
    this.#file = join(folder, 'collections');
    const preload = pathToFileURL(join(repositoryRoot, 'dist/test/support/collect-garbage-on-signal.js'));
    this.settings = {
      NODE_OPTIONS: `--import=${preload.href} ${nodeOptions}`,
      COLLECTIONS_FILE: this.#file,
    };
  }

  async bytes(server: ServerProcess): Promise<number> {
    this.#collections++;
    server.kill('SIGUSR2');
    await until('the heap is collected', () => this.#reading().collections === this.#collections);
    return this.#reading().bytes;
  }

  #reading(): { readonly collections: number; readonly bytes: number } {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8'));
    } catch {
      return { collections: 0, bytes: 0 };
    }
  }
}
