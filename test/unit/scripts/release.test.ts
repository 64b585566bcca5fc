import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../support/repository.js';

interface Release {
  readonly otherVersions: (
    version: string,
    read: (path: string) => string,
  ) => { path: string; found: string }[];
  readonly sectionOf: (changelog: string, version: string) => string;
}

const script = join(repositoryRoot, 'scripts/packages/release.mjs');
const { otherVersions, sectionOf }: Release = await import(pathToFileURL(script).href);

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');

describe('a release', () => {
  it('has one version in all packages', () => {
    const { version }: { version: string } = JSON.parse(read('package.json'));
    assert.deepEqual(otherVersions(version, read), []);
  });

  it('is refused where a package has another version, or none', () => {
    const text = (path: string) => (path.endsWith('.toml') ? 'version = "1.0.0"' : '{}');
    assert.deepEqual(otherVersions('1.0.0', text), [
      { path: 'package.json', found: 'none' },
      { path: 'clients/typescript/package.json', found: 'none' },
    ]);
  });

  it('says what the changelog says of its version, and of no other', () => {
    const changelog =
      '# Changelog\n\n## 1.1.0 - 2026-01-01\n\n- a\n\n### Fixed\n\n- b\n\n## 1.1.0-rc\n\n- c\n';
    assert.equal(sectionOf(changelog, '1.1.0'), '- a\n\n### Fixed\n\n- b');
    assert.equal(sectionOf(changelog, '1.1.0-rc'), '- c');
    assert.equal(sectionOf(changelog, '1.1'), '');
  });
});
