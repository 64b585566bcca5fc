import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { repositoryRoot } from '../support/repository.js';

interface Manifest {
  readonly version?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const manifest = (folder: string): Manifest => JSON.parse(read(join(folder, 'package.json')));

const root = manifest('.');
const folders = root.workspaces ?? [];

describe('the workspaces', () => {
  it('have package.json files, and every version in them is exact', () => {
    assert.deepEqual(folders, ['bench', 'clients/typescript']);
    for (const { dependencies, devDependencies } of ['.', ...folders].map(manifest)) {
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
        assert.match(version, /^\d+\.\d+\.\d+$/, name);
    }
  });

  it('share one lock file, without the address of a registry, and one node_modules, from which dist/ loads', () => {
    const { packages }: { packages: Record<string, { resolved?: string; link?: boolean }> } = JSON.parse(
      read('package-lock.json'),
    );
    const nested = Object.keys(packages).filter((path) => /^(bench|clients)\/.*node_modules/.test(path));
    assert.deepEqual(nested, []);
    const linked = Object.values(packages).flatMap(({ resolved }) =>
      resolved === undefined ? [] : [resolved],
    );
    assert.deepEqual(linked.sort(), [...folders]);
    for (const folder of folders) assert.ok(!existsSync(join(repositoryRoot, folder, 'package-lock.json')));
  });

  it('bring the server nothing: what bench needs is for development', () => {
    assert.deepEqual(manifest('bench').dependencies ?? {}, {});
  });
});

describe("the client's package", () => {
  const client = manifest('clients/typescript');

  it('needs two packages, in the versions that the server is tested with', () => {
    const names = ['@bufbuild/protobuf', '@grpc/grpc-js'];
    assert.deepEqual(Object.keys(client.dependencies ?? {}).sort(), names);
    for (const name of names) assert.equal(client.dependencies?.[name], root.dependencies?.[name], name);
    assert.deepEqual(client.devDependencies ?? {}, {});
  });

  it('has the version, the oldest Node.js and the licence of the server', () => {
    assert.equal(client.version, root.version);
    assert.deepEqual(client.engines, root.engines);
    assert.equal(read('clients/typescript/LICENSE'), read('LICENSE'));
  });
});
