import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BenchModels } from '../../../../bench/bench-models.js';
import { describeTokens } from '../../../../bench/inputs/describe-tokens.js';
import { Inputs } from '../../../../bench/inputs/inputs.js';

describe('the inputs of the bench', () => {
  let models: BenchModels;
  let inputs: Inputs;
  before(async () => {
    models = await BenchModels.open('sentiment', 'int8');
    inputs = Inputs.open('/nowhere', (texts) => models.encode(texts));
  });
  after(() => models.close());

  it('are generated where the data sets are missing, and say so', () => {
    assert.equal(inputs.description, 'generated sentences');
    assert.equal(inputs.generated, true);
  });

  it('have a tight mix: mean about 27 tokens, 95th percentile about 47', async () => {
    const { meanTokens, p95Tokens, maxTokens } = await inputs.statistics(await inputs.mix('tight', 1000));
    assert.ok(Math.abs(meanTokens - 27) < 1.5, String(meanTokens));
    assert.ok(Math.abs(p95Tokens - 47) < 4, String(p95Tokens));
    assert.ok(maxTokens <= 128);
  });

  it('have a wide mix: mean about 42 tokens, 95th percentile about 98, up to 512', async () => {
    const { meanTokens, p95Tokens, maxTokens } = await inputs.statistics(await inputs.mix('wide', 1000));
    assert.ok(Math.abs(meanTokens - 42) < 2.5, String(meanTokens));
    assert.ok(Math.abs(p95Tokens - 98) < 10, String(p95Tokens));
    assert.ok(maxTokens > 480 && maxTokens <= 512, String(maxTokens));
  });

  it('are the same in every run, in whichever order they are asked for', async () => {
    const others = Inputs.open('/nowhere', (texts) => models.encode(texts));
    const wide = await others.mix('wide', 50);
    const tight = await others.mix('tight', 50);
    assert.deepEqual([tight, wide], [await inputs.mix('tight', 50), await inputs.mix('wide', 50)]);
  });

  it('never hold the same text twice', async () => {
    const texts = await inputs.mix('tight', 10_000);
    assert.equal(new Set(texts).size, 10_000);
  });

  it('are described by the tokens that the model reads', async () => {
    const tokens = await inputs.statistics(['the film was brilliant', 'the film']);
    assert.equal(describeTokens(tokens), '2 texts, mean 5.00 tokens, p50 5, p95 6, max 6');
  });
});

describe('the data sets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-data-'));
  after(() => rmSync(folder, { recursive: true }));

  it('give whole sentences of SST-2 and the questions of banking77, each once', () => {
    mkdirSync(join(folder, 'sst2'));
    mkdirSync(join(folder, 'banking77'));
    const sentences = ['the camera \t1', 'a fine film .\t1', 'a fine film .\t1', 'why bother ?\t0', ''];
    writeFileSync(join(folder, 'sst2/dev.tsv'), ['sentence\tlabel', ...sentences].join('\n'));
    writeFileSync(
      join(folder, 'banking77/train.csv'),
      'text,category\nWhere is my card?,card_arrival\n"Hi, ""help"" me",other\n',
    );
    const inputs = Inputs.open(folder, async () => []);
    assert.equal(inputs.description, 'SST-2 (dev) and banking77 (train)');
    assert.equal(inputs.generated, false);
    assert.deepEqual(inputs.sst2(10).toSorted(), ['a fine film .', 'why bother ?']);
    assert.deepEqual(inputs.banking77(10).toSorted(), ['Hi, "help" me', 'Where is my card?']);
    assert.equal(inputs.banking77(1).length, 1);
  });
});
