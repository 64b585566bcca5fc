import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TokenizerPool } from '../../../src/tokenizer/tokenizer-pool.js';
import { type FamilyProof, familiesFolder, proveFamily } from '../../support/family-proof.js';
import { withFamilyTable } from '../../support/family-table.js';
import { repositoryRoot } from '../../support/repository.js';
import { Service } from '../../support/service.js';

const [first = '', ...others] = readdirSync(familiesFolder).sort();
const families = [first, ...others] as const;

/** Set, the table in docs/models.md is written anew instead of compared. */
const updates = process.env.UPDATE_FAMILIES === '1';

describe('every family of sequence classifiers answers as Transformers does', () => {
  let tokenizers: TokenizerPool;
  const proofs: FamilyProof[] = [];

  before(() => {
    tokenizers = new TokenizerPool({ workers: 1 });
  });

  after(() => tokenizers.close());

  for (const name of families) {
    it(name, async () => {
      proofs.push(await proveFamily(name, tokenizers));
    });
  }

  it('and docs/models.md says which do', async () => {
    const path = join(repositoryRoot, 'docs/models.md');
    const page = await readFile(path, 'utf8');
    const fresh = withFamilyTable(page, proofs);
    if (updates) await writeFile(path, fresh);
    else assert.equal(page, fresh, 'the table is not up to date: CONTRIBUTING.md says how to write it');
  });
});

describe('a server of all families', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(families);
  });

  after(() => service.stop());

  it('gives the scores of the pipeline of Transformers', async () => {
    for (const model of families) {
      const { entries, scores } = await goldenOf(model);
      const { predictions } = await service.client.classify(entries[0].text, { model, topK: 0 });
      assert.deepEqual(predictions.map(({ label }) => label).sort(), Object.keys(scores).sort(), model);
      for (const { label, score } of predictions) {
        assert.ok(
          Math.abs(score - (scores[label] ?? Number.NaN)) < 1e-3,
          `${model}: ${label} ${score}, not ${scores[label]}`,
        );
      }
    }
  });

  it('answers texts and pairs that come together as it does one at a time', async () => {
    for (const model of families) {
      const { entries } = await goldenOf(model);
      const inputs = entries.map(({ text, text_pair: textPair }) => ({
        text,
        ...(textPair && { textPair }),
      }));
      const options = { model, topK: 0, activation: 'none' } as const;
      const results = await service.client.classifyBatch(inputs, options);
      for (const [index, { logits, token_ids: ids, truncated }] of entries.entries()) {
        const result = results[index];
        assert.ok(result?.ok, `${model}: entry ${index}`);
        const { tokenCount, truncated: cut, predictions } = result.classification;
        assert.deepEqual([tokenCount, cut], [ids.length, truncated]);
        for (const { index: label, score } of predictions) {
          assert.ok(Math.abs(score - (logits[label] ?? 0)) < 1e-3, `${model}: entry ${index}`);
        }
      }
    }
  });
});

interface GoldenFile {
  readonly scores: Readonly<Record<string, number>>;
  readonly entries: readonly [GoldenRow, ...GoldenRow[]];
}

interface GoldenRow {
  readonly text: string;
  readonly text_pair?: string;
  readonly token_ids: readonly number[];
  readonly truncated: boolean;
  readonly logits: readonly number[];
}

async function goldenOf(model: string): Promise<GoldenFile> {
  return JSON.parse(await readFile(join(familiesFolder, model, '1/golden.json'), 'utf8'));
}
