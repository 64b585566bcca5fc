import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, npmInstall } from './npm.js';
import { stagePackages } from './staged-packages.js';

/** A folder outside the repository, an ES module project, into which a package is packed and installed, with scripts off. */
export class EmptyProject {
  readonly folder: string;
  /** Why nothing could be installed: the registry is out of reach. Empty where all is well. */
  readonly unavailable: string;

  private constructor(folder: string, unavailable: string) {
    this.folder = folder;
    this.unavailable = unavailable;
  }

  /**
   * @param name the package, as scripts/packages.mjs calls it
   * @throws Error when it cannot be packed or installed; with `CI=true` also when the registry is out of reach
   */
  static async with(name: string): Promise<EmptyProject> {
    const folder = await mkdtemp(join(tmpdir(), 'verdict-empty-project-'));
    try {
      await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}\n');
      const [staged = ''] = await stagePackages(join(folder, 'staged'), [name]);
      const packed = await npm(folder, ['pack', staged, '--json']);
      const filename = /"filename": "([^"]+)"/.exec(packed)?.[1] ?? '';
      return new EmptyProject(folder, await npmInstall(folder, ['--ignore-scripts', `./${filename}`]));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
