import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { verifyModel } from '../../../src/app/verify-model.js';
import { readGolden } from '../../../src/models/golden.js';
import { candidatesFor } from '../../../src/models/instance-group.js';
import { readManifest } from '../../../src/models/manifest.js';

const POINTER =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n';

describe('what is wrong with a folder is told by verify', () => {
  let directory: string;

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'verdict-wrong-')), '1');
    await cp('test/fixtures/odd-models/external/1', directory, { recursive: true });
  });

  afterEach(() => rm(join(directory, '..'), { recursive: true }));

  const config = async (changed: object) => {
    const path = join(directory, 'config.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...changed }));
  };
  const complaints = async () =>
    (await verifyModel(directory)).checks.filter(({ ok }) => !ok).map(({ detail }) => detail);
  const complaint = async () => {
    const [first, ...others] = await complaints();
    assert.deepEqual(others, []);
    return first ?? '';
  };

  it('a Git LFS pointer in place of any file', async () => {
    for (const file of ['config.json', 'tokenizer.json', 'onnx/model.onnx', 'onnx/model.onnx_data']) {
      const path = join(directory, file);
      const real = await readFile(path);
      await writeFile(path, POINTER);
      assert.match(await complaint(), new RegExp(`${file}: is a Git LFS pointer: fetch the real file`));
      await writeFile(path, real);
    }
  });

  it('weights of their own that are missing, or lie elsewhere', async () => {
    await rm(join(directory, 'onnx/model.onnx_data'));
    assert.match(await complaint(), /model\.onnx_data: is missing/);
    const path = join(directory, 'onnx/model.onnx');
    const graph = await readFile(path, 'latin1');
    await writeFile(path, graph.replace('model.onnx_data', '../../../passwd'), 'latin1');
    assert.match(
      await complaint(),
      /model\.onnx: keeps weights in \.\.\/\.\.\/\.\.\/passwd, outside its folder/,
    );
  });

  it('numbers of labels that contradict each other', async () => {
    await config({ num_labels: 3 });
    assert.match(await complaint(), /config\.json: num_labels is 3, but id2label names 2 labels/);
    await config({ id2label: null });
    assert.match(await complaint(), /num_labels is 3, but the model's output is 2 wide/);
    await config({ num_labels: 2 });
    assert.deepEqual(await complaints(), []);
    await config({ id2label: { 0: 'a', 1: 'b', 2: 'c' }, num_labels: 3 });
    assert.match(await complaint(), /output "logits" is 2 wide; expected 3, one for each label/);
  });

  it('a number of positions that leaves no room', async () => {
    await config({ model_type: 'roberta', pad_token_id: 3, max_position_embeddings: 4 });
    assert.match(await complaint(), /config\.json: its number of positions leaves no room for a token/);
  });

  it('a padding id that the model has no row for: it serves without padding', async () => {
    await config({ pad_token_id: 5_000 });
    const { ok, checks } = await verifyModel(directory);
    assert.ok(ok);
    assert.match(checks.at(-1)?.detail ?? '', /only texts of one length share a batch/);
  });

  it('reduced weights that nothing vouches for', async () => {
    await cp(join(directory, 'onnx/model.onnx'), join(directory, 'onnx/model_quantized.onnx'));
    await rm(join(directory, 'onnx/model.onnx'));
    const expected = /holds only int8 weights, and no golden\.json .* VERDICT_PRECISION=int8/;
    assert.match(await complaint(), expected);
    const manifest = await readManifest('external', '1', directory);
    assert.throws(() => candidatesFor(manifest, undefined, { precision: 'auto', device: 'cpu' }), expected);
    assert.throws(() => candidatesFor(manifest, undefined, { precision: 'auto', device: 'cuda' }), expected);
    const known = { entries: [], tolerance: {} };
    assert.deepEqual(candidatesFor(manifest, known, { precision: 'auto', device: 'cuda' }), ['int8']);
    assert.throws(
      () => candidatesFor(manifest, undefined, { precision: 'fp32', device: 'cpu' }),
      /holds no fp32 weights, only int8/,
    );
  });

  it('known answers that are no numbers', async () => {
    const path = join(directory, 'golden.json');
    const entry = { text: 'good', token_ids: [2, 5, 3], logits: [-1, 1] };
    const wrong: [string, RegExp][] = [
      [
        JSON.stringify({ entries: [{ ...entry, token_ids: [1.5] }] }),
        /entries\[0\]\.token_ids must be a list of token ids/,
      ],
      [JSON.stringify({ entries: [{ ...entry, token_ids: [-1] }] }), /token_ids must be/],
      [
        JSON.stringify({ entries: [entry], tolerance: { fp32: -1 } }),
        /tolerance\.fp32 must be a number of at least 0/,
      ],
      [JSON.stringify({ entries: [entry], tolerance: { int8: '0.5' } }), /tolerance\.int8 must be/],
      [
        `{"entries": [{"text": "good", "token_ids": [2], "logits": [1e999, 1]}]}`,
        /must be a list of 2 finite numbers/,
      ],
    ];
    for (const [content, expected] of wrong) {
      await writeFile(path, content);
      await assert.rejects(readGolden(path, ['BAD', 'GOOD']), expected);
    }
  });
});

describe('models verify', () => {
  it('takes every odd model that can be served, and refuses the others', async () => {
    const refused = ['hidden-positions', 'never-finite', 'restless'];
    const wrong: string[] = [];
    for (const name of readdirSync('test/fixtures/odd-models')) {
      if (!(await verifyModel(`test/fixtures/odd-models/${name}/1`)).ok) wrong.push(name);
    }
    assert.deepEqual(wrong, refused);
  });
});
