import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { settings } from '../../src/config/settings.js';
import { repositoryRoot } from '../support/repository.js';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'training/README.md',
  'clients/typescript/README.md',
  ...readdirSync(join(repositoryRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && name !== 'configuration.md')
    .map((name) => join('docs', name)),
];

const read = (page: string) => readFileSync(join(repositoryRoot, page), 'utf8');

/** Variables that are no settings of the server: those of clients and of the docs' own examples. */
const FOREIGN_VARIABLES = new Set(['VERDICT_ADDRESS', 'VERDICT_API_KEY', 'VERDICT_CONFIG']);

describe('the docs', () => {
  it('name only settings that exist', () => {
    const known = new Set(settings.map(({ variable }) => variable));
    for (const page of pages) {
      for (const [name] of read(page).matchAll(/VERDICT_[A-Z_]*[A-Z]/g)) {
        assert.ok(known.has(name) || FOREIGN_VARIABLES.has(name), `${page} names ${name}`);
      }
    }
  });

  it('name only metrics that docs/metrics.md lists, which is compared with the registry', () => {
    const listed = read('docs/metrics.md');
    for (const page of pages) {
      for (const [, name = ''] of read(page).matchAll(
        /`(verdict_[a-z_]+|grpc_server_[a-z_]+|inference_[a-z_]+)`/g,
      )) {
        assert.ok(listed.includes(name), `${page} names ${name}`);
      }
    }
  });

  it('link only to files that exist', () => {
    for (const page of pages) {
      for (const [, target = ''] of read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        assert.ok(existsSync(join(repositoryRoot, dirname(page), target)), `${page} links to ${target}`);
      }
    }
  });
});
