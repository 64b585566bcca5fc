import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { modelDigest } from '../../../src/models/digest.js';
import { readManifest } from '../../../src/models/manifest.js';
import type { Batching } from '../../../src/models/types.js';
import { TextPreprocessor } from '../../../src/preprocessing/text-preprocessor.js';
import { filesDigest, readTokenizerFiles } from '../../../src/tokenizer/tokenizer-files.js';
import type { Tokenizer } from '../../../src/tokenizer/types.js';

describe('modelDigest', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'verdict-digest-'));
    await cp('test/fixtures/odd-models/external/1', directory, { recursive: true });
  });

  afterEach(() => rm(directory, { recursive: true }));

  const digest = async (settings: { batching?: Batching; padId?: number; maxTokens?: number } = {}) => {
    const { batching = 'padded', padId = 0, maxTokens } = settings;
    const manifest = await readManifest('external', '1', directory, { maxTokens });
    const tokenizer: Tokenizer = {
      maxTokens: manifest.maxTokens,
      padId: 0,
      filesDigest: filesDigest(await readTokenizerFiles(manifest)),
      encode: () => assert.fail('no text is read'),
      close: () => {},
    };
    return modelDigest(manifest, 'fp32', batching, new TextPreprocessor(tokenizer, { padId }));
  };
  const change = async (file: string, content: (before: Buffer) => string | Buffer) => {
    const path = join(directory, file);
    await writeFile(path, content(await readFile(path).catch(() => Buffer.from('{}'))));
  };
  const flipped = (before: Buffer) => {
    const bytes = Buffer.from(before);
    bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
    return bytes;
  };

  it('is the same for the same files, wherever they lie', async () => {
    const before = await digest();
    assert.match(before, /^sha256:[0-9a-f]{64}$/);
    assert.equal(await digest(), before);
    const elsewhere = `${directory}-moved`;
    await rename(directory, elsewhere);
    directory = elsewhere;
    assert.equal(await digest(), before);
  });

  it('changes with every file that decides a token or a logit', async () => {
    const seen = new Set([await digest()]);
    const changes: [string, (before: Buffer) => string | Buffer][] = [
      ['onnx/model.onnx_data', flipped],
      ['tokenizer.json', (json) => json.toString().replace('"good"', '"goood"')],
      ['tokenizer_config.json', () => '{"do_lower_case": false}'],
      ['config.json', (json) => json.toString().replace('"GOOD"', '"FINE"')],
      ['config.json', (json) => json.toString().replace('64', '32')],
      ['tokenizer_config.json', () => '{"truncation_side": "left"}'],
    ];
    for (const [file, content] of changes) {
      await change(file, content);
      const now = await digest();
      assert.ok(!seen.has(now), `${file} was changed`);
      seen.add(now);
    }
  });

  it('changes with weights of its own behind symbolic links, as the cache of the Hub lays them', async () => {
    const before = await digest();
    const blobs = join(directory, 'blobs');
    await mkdir(blobs);
    for (const file of ['model.onnx', 'model.onnx_data']) {
      await rename(join(directory, 'onnx', file), join(blobs, file));
      await symlink(join(blobs, file), join(directory, 'onnx', file));
    }
    assert.equal(await digest(), before);
    await change('blobs/model.onnx_data', flipped);
    assert.notEqual(await digest(), before);
  });

  it('changes with padding, the token limit, and how inputs share a batch', async () => {
    const all = await Promise.all([
      digest(),
      digest({ padId: 1 }),
      digest({ maxTokens: 8 }),
      digest({ batching: 'equal_length' }),
      digest({ batching: 'one_at_a_time' }),
    ]);
    assert.equal(new Set(all).size, all.length);
  });
});
