import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';
import type { Cleanup } from './served-models.js';
import { ServerProcess } from './server-process.js';

/** A models folder as an operator keeps it: versions are complete before a rename makes them visible. */
export class PublishedModels {
  readonly path: string;
  #staged = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** An empty one, gone with the test. */
  static async create(t: Cleanup): Promise<PublishedModels> {
    const path = await mkdtemp(join(tmpdir(), 'verdict-published-'));
    t.after(() => rm(path, { recursive: true, maxRetries: 5, retryDelay: 100 }));
    return new PublishedModels(path);
  }

  /** Where a version lies. */
  folder(model: string, version: string): string {
    return join(this.path, model, version);
  }

  /**
   * Publishes a copy of version 1 of a fixture, or of an embedded model.
   * @param as where it becomes visible: `topics/2`
   * @param change what is different about it
   */
  async publish(as: string, fixture: string, change?: (folder: string) => Promise<void>): Promise<void> {
    const [model = '', version = ''] = as.split('/');
    const staged = join(this.path, `.staged-${this.#staged++}`);
    const homes = ['test/fixtures/models', 'models'].map((home) => join(repositoryRoot, home, fixture, '1'));
    const from = homes.find((path) => existsSync(path));
    if (from === undefined) throw new Error(`there is no model ${fixture} to publish`);
    await cp(from, join(staged, version), { recursive: true });
    await change?.(join(staged, version));
    const home = join(this.path, model);
    const isNew = await rename(staged, home).then(
      () => true,
      () => false,
    );
    if (isNew) return;
    // A folder that is not empty cannot be renamed over: the former one goes first.
    await rename(join(home, version), join(this.path, `.former-${this.#staged++}`)).catch(() => {});
    await rename(join(staged, version), join(home, version));
  }

  /** Takes a model, or one version of it, out of the folder. */
  async withdraw(path: string): Promise<void> {
    await rename(join(this.path, path), join(this.path, `.withdrawn-${this.#staged++}`));
  }

  /** The real server over this folder, killed with the test if it is still there. @param defaultModel its default model */
  async serve(
    t: Cleanup,
    defaultModel: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const server = await ServerProcess.start({
      VERDICT_MODELS_DIR: this.path,
      VERDICT_DEFAULT_MODEL: defaultModel,
      ...settings,
    });
    t.after(async () => {
      server.kill('SIGKILL');
      await server.exit;
    });
    return server;
  }
}
