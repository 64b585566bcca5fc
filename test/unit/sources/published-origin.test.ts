import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { latestFrom } from '../../../src/sources/published-origin.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

describe('the last version from a source', () => {
  it('is the highest that names it, whatever else is there', async (t) => {
    const models = temporaryFolder(t);
    const put = (version: string, origin: string) => {
      mkdirSync(join(models, 'm', version), { recursive: true });
      writeFileSync(join(models, 'm', version, 'origin.json'), origin);
    };
    assert.equal(await latestFrom(models, 'm', 's3://a/b'), undefined);
    put('2', JSON.stringify({ source: 's3://a/b', revision: 'two', sha256: { 'config.json': 'x' } }));
    put('10', JSON.stringify({ source: 's3://a/b', revision: 'ten' }));
    put('11', JSON.stringify({ source: 's3://a/other', revision: 'eleven' }));
    put('12', '{"source":');
    put('13', '[]');
    put('14', JSON.stringify({ source: 's3://a/b', revision: 14 }));
    put('15', `{"source":"s3://a/b","revision":"${'x'.repeat(2 ** 20)}"}`);
    put('.16', JSON.stringify({ source: 's3://a/b', revision: 'hidden' }));
    mkdirSync(join(models, 'm/17/origin.json'), { recursive: true });
    const found = await latestFrom(models, 'm', 's3://a/b');
    assert.deepEqual(found, { version: '10', revision: 'ten', sha256: {} });
  });

  it('of the Hub is known by its commit', async (t) => {
    const models = temporaryFolder(t);
    mkdirSync(join(models, 'm/1'), { recursive: true });
    writeFileSync(join(models, 'm/1/origin.json'), '{"source":"hf://a/b","commit":"c0ffee"}');
    assert.equal((await latestFrom(models, 'm', 'hf://a/b'))?.revision, 'c0ffee');
  });
});
