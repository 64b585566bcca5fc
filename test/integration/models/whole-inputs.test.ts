import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TextPreprocessor } from '../../../src/preprocessing/text-preprocessor.js';
import type { Encoded } from '../../../src/runtime/feeds.js';
import { TokenizerPool } from '../../../src/tokenizer/tokenizer-pool.js';

const START = 0;
const END = 2;
const MAX_TOKENS = 48;

/** BART answers at its last end token, and refuses rows that have different numbers of them. */
describe('inputs that a model is tried with are whole, however short', () => {
  const pool = new TokenizerPool({ workers: 1 });
  let preprocessor: TextPreprocessor;

  before(async () => {
    const folder = 'test/fixtures/families/bart/1';
    const files = {
      tokenizerJsonPath: `${folder}/tokenizer.json`,
      tokenizerConfigPath: `${folder}/tokenizer_config.json`,
    };
    preprocessor = new TextPreprocessor(await pool.load({ ...files, maxTokens: MAX_TOKENS }));
  });

  after(() => pool.close());

  const idsOf = (encoded: Encoded) => [...(encoded.tensors.input_ids ?? [])];
  const ends = (ids: readonly number[]) => ids.filter((id) => id === END).length;

  it('for the calibration, the self-test and the run at the limit', async () => {
    for (const cost of [2, 3, 8, 32, MAX_TOKENS, 512]) {
      const ids = idsOf(await preprocessor.ofCost(cost));
      assert.equal(ids.length, Math.min(cost, MAX_TOKENS));
      assert.deepEqual([ids[0], ids.at(-1), ends(ids)], [START, END, 1]);
    }
  });

  it('for the trials of batches, in which texts and pairs of one length meet', async () => {
    for (const cost of [undefined, 32, 12]) {
      const probes = (await preprocessor.probes([{ text: 'a text '.repeat(90) }], cost)).map(idsOf);
      for (const ids of probes) assert.deepEqual([ids[0], ids.at(-1), ends(ids) % 2], [START, END, 1]);
      const longest = probes.at(-1)?.length;
      const forms = probes.filter(({ length }) => length === longest).map(ends);
      assert.deepEqual(
        [...new Set(forms)].sort((a, b) => a - b),
        [1, 3],
      );
    }
  });
});
