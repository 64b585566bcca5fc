import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../support/repository.js';

const script: {
  testFiles(kinds: readonly ('unit' | 'e2e' | 'integrations')[], parts?: readonly string[]): string[];
} = await import(pathToFileURL(join(repositoryRoot, 'scripts/test-files.mjs')).href);

describe('the kinds of tests', () => {
  it('hold every test file once', () => {
    const each = (['unit', 'e2e', 'integrations'] as const).map((kind) => script.testFiles([kind]));
    const all = script.testFiles(['unit', 'e2e', 'integrations']);
    assert.ok(each.every((files) => files.length > 0));
    assert.deepEqual(each.flat().sort(), all);
  });

  it('keep what needs the tools of test/integrations out of the others', () => {
    const files = script.testFiles(['unit', 'e2e']);
    assert.ok(files.some((file) => file.startsWith('dist/test/integration/')));
    assert.deepEqual(
      files.filter((file) => file.startsWith('dist/test/integrations/')),
      [],
    );
    const named = script.testFiles(['integrations'], ['sources/s3.test.ts']);
    assert.deepEqual(named, ['dist/test/integrations/sources/s3.test.js']);
  });
});
