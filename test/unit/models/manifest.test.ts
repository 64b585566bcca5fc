import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../../../src/models/manifest.js';

const topics = fileURLToPath(new URL('../../../../test/fixtures/models/topics/1', import.meta.url));

describe('readManifest', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'verdict-manifest-'));
    await cp(topics, directory, { recursive: true });
  });

  afterEach(() => rm(directory, { recursive: true }));

  const write = (file: string, content: unknown) =>
    writeFile(join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));
  const read = () => readManifest('topics', '1', directory);

  it('reads labels, problem type, limits and weights of a Hub export', async () => {
    const manifest = await read();
    assert.equal(manifest.problemType, 'multi_label_classification');
    assert.equal(manifest.labels.length, 4);
    assert.deepEqual(Object.keys(manifest.weights).sort(), ['fp32', 'int8']);
    assert.equal(manifest.defaultTruncation, 'end');
    assert.equal(manifest.firstPosition, 0);
    assert.ok(manifest.maxTokens > 0);
  });

  it('refuses a number of labels that no model has', async () => {
    await rm(join(directory, 'onnx'), { recursive: true });
    await cp(join(topics, '../../../odd-models/unnamed-dynamic/1'), directory, { recursive: true });
    for (const width of [0, 65_537, 1e8, Number.NaN]) {
      await assert.rejects(
        readManifest('unnamed', '1', directory, { probeLabelCount: async () => width }),
        new RegExp(`the model's output is ${width} wide; expected 1 to 65536 labels`),
      );
    }
    const id2label = Object.fromEntries(Array.from({ length: 65_537 }, (_, index) => [index, `${index}`]));
    await write('config.json', { id2label });
    await assert.rejects(read(), /id2label names 65537 labels; expected at most 65536/);
  });

  it('takes the order of the labels from their ids, not from the file', async () => {
    await write('config.json', { id2label: { 1: 'second', 0: 'first' } });
    assert.deepEqual((await read()).labels, ['first', 'second']);
  });

  it('takes one output for a yes or no and several for exclusive labels, as the pipeline of Transformers', async () => {
    await write('config.json', { id2label: { 0: 'toxic' } });
    assert.equal((await read()).problemType, 'multi_label_classification');
    await write('config.json', { id2label: { 0: 'toxic' }, problem_type: 'single_label_classification' });
    assert.equal((await read()).problemType, 'multi_label_classification');
    await write('config.json', { id2label: { 0: 'score' }, problem_type: 'regression' });
    assert.equal((await read()).problemType, 'regression');
    await write('config.json', { id2label: { 0: 'no', 1: 'yes' } });
    assert.equal((await read()).problemType, 'single_label_classification');
  });

  it('takes the smaller of the two token limits, and two positions off for RoBERTa', async () => {
    // Without a table of positions in the graph, the configuration alone tells.
    await rm(join(directory, 'onnx'), { recursive: true });
    await cp(join(topics, '../../../odd-models/plain/1/onnx'), join(directory, 'onnx'), { recursive: true });
    const id2label = { 0: 'no', 1: 'yes' };
    await write('config.json', { id2label, max_position_embeddings: 514, model_type: 'roberta' });
    await write('tokenizer_config.json', { model_max_length: 1e30 });
    const roberta = await read();
    assert.deepEqual([roberta.maxTokens, roberta.firstPosition], [512, 2]);
    await write('tokenizer_config.json', { model_max_length: 128 });
    assert.equal((await read()).maxTokens, 128);
    await write('config.json', { id2label });
    await write('tokenizer_config.json', {});
    assert.equal((await read()).maxTokens, 512);
  });

  it('cuts the start by default where the tokeniser says so', async () => {
    await write('tokenizer_config.json', { truncation_side: 'left' });
    assert.equal((await read()).defaultTruncation, 'start');
  });

  it('names the file and what it should hold', async () => {
    await write('config.json', '{');
    await assert.rejects(read(), /config\.json: is not valid JSON/);
    await write('config.json', { id2label: {} });
    await assert.rejects(read(), /config\.json: id2label must map/);
    await write('config.json', { id2label: { 0: 'a', 2: 'c' } });
    await assert.rejects(read(), /id2label\.1 must be a label name/);
    await write('config.json', { id2label: { 0: 'a' }, problem_type: 'poetry' });
    await assert.rejects(read(), /problem_type must be one of/);
    await rm(join(directory, 'config.json'));
    await assert.rejects(read(), /config\.json: is missing/);
  });

  it('refuses a folder without tokeniser or weights', async () => {
    await rm(join(directory, 'tokenizer.json'));
    await assert.rejects(read(), /tokenizer\.json: is missing/);
    await cp(join(topics, 'tokenizer.json'), join(directory, 'tokenizer.json'));
    await rm(join(directory, 'onnx'), { recursive: true });
    await assert.rejects(read(), /holds none of onnx\/model\.onnx/);
  });
});
