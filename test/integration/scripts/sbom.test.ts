import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { repositoryRoot } from '../../support/repository.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
}

interface Bom {
  readonly metadata: { readonly component: Component & { readonly type: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const read = (name: string) => JSON.parse(readFileSync(join(repositoryRoot, name), 'utf8'));

/** `name version hash` of what package-lock.json installs for the service. */
function locked(): string[] {
  const { packages }: { packages: Readonly<Record<string, Locked>> } = read('package-lock.json');
  return Object.entries(packages)
    .filter(([path, { dev, link }]) => path.startsWith('node_modules/') && dev !== true && link !== true)
    .map(([path, { version, integrity }]) => {
      const hash = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
      return `${path.slice(path.lastIndexOf('node_modules/') + 13)} ${version} ${hash}`;
    });
}

describe('the list of packages', { timeout: 120_000 }, () => {
  it('is valid CycloneDX and names all that the service needs at run time, and nothing else', async (t) => {
    const path = join(temporaryFolder(t), 'folder/sbom.json');
    execFileSync(process.execPath, ['scripts/sbom.mjs', path], { cwd: repositoryRoot });
    const text = readFileSync(path, 'utf8');
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5);
    assert.equal(await validator.validate(text), null);
    const bom: Bom = JSON.parse(text);
    const found = bom.components.map(
      ({ name, version, hashes }) => `${name} ${version} ${hashes.map(({ content }) => content).join()}`,
    );
    assert.deepEqual([...new Set(found)].sort(), [...new Set(locked())].sort());
    const { dependencies, version }: { dependencies: Record<string, string>; version: string } =
      read('package.json');
    const { component } = bom.metadata;
    assert.deepEqual(
      [component.name, component.version, component.type],
      ['verdict', version, 'application'],
    );
    const direct = bom.dependencies.find(({ ref }) => ref === component['bom-ref']);
    assert.deepEqual(
      [...(direct?.dependsOn ?? [])].sort(),
      Object.entries(dependencies)
        .map(([name, pinned]) => `${name}@${pinned}`)
        .sort(),
    );
    // As long as this one is told, npm's own way of leaving out what is for development is not trusted.
    assert.ok(found.some((line) => line.startsWith('@grpc/grpc-js ')));
  });
});
