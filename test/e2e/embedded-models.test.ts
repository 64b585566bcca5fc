import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { VerdictClient } from '../../src/client/index.js';
import { repositoryRoot } from '../support/repository.js';
import { ServerProcess } from '../support/server-process.js';

interface GoldenFile {
  readonly labels: readonly string[];
  readonly tolerance: Readonly<Record<string, number>>;
  readonly entries: readonly {
    readonly text: string;
    readonly text_pair?: string;
    readonly token_ids: readonly number[];
    readonly truncated: boolean;
    readonly logits: readonly number[];
  }[];
}

for (const precision of ['fp32', 'int8'] as const) {
  describe(`the embedded models in ${precision}`, () => {
    let server: ServerProcess;
    let client: VerdictClient;

    before(async () => {
      server = await ServerProcess.start({ VERDICT_PRECISION: precision });
      client = new VerdictClient({ address: server.address });
    });

    after(async () => {
      client.close();
      await server.stop();
    });

    for (const model of ['sentiment', 'intent']) {
      it(`${model} answers as PyTorch recorded: labels, token counts, logits`, async () => {
        const path = join(repositoryRoot, 'models', model, '1/golden.json');
        const golden: GoldenFile = JSON.parse(await readFile(path, 'utf8'));
        const tolerance = golden.tolerance[precision] ?? 0;
        for (const entry of golden.entries) {
          const input =
            entry.text_pair === undefined
              ? { text: entry.text }
              : { text: entry.text, textPair: entry.text_pair };
          const answer = await client.classify(input, { model, topK: 0, activation: 'none' });
          const logits = [...answer.predictions].sort((a, b) => a.index - b.index).map(({ score }) => score);
          const expected = entry.logits.indexOf(Math.max(...entry.logits));
          assert.equal(answer.predictions[0]?.index, expected);
          assert.equal(answer.predictions[0]?.label, golden.labels[expected]);
          assert.equal(answer.tokenCount, entry.token_ids.length);
          assert.equal(answer.truncated, entry.truncated);
          const shift = Math.max(
            ...entry.logits.map((logit, index) => Math.abs(logit - (logits[index] ?? Number.NaN))),
          );
          assert.ok(shift <= tolerance, `a logit differs by ${shift}, ${tolerance} allowed`);
        }
      });
    }

    it('is sure of what nobody doubts', async () => {
      const good = await client.classify({ text: 'This movie was absolutely fantastic!' });
      const bad = await client.classify({ text: 'This was terrible.' });
      assert.deepEqual([good.predictions[0]?.label, bad.predictions[0]?.label], ['POSITIVE', 'NEGATIVE']);
      for (const { predictions } of [good, bad]) assert.ok((predictions[0]?.score ?? 0) > 0.9);
    });
  });
}
