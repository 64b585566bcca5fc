import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collect } from '../support/collect.js';
import { outcomeOf, outcomesOf } from '../support/outcomes.js';
import { ServedModels } from '../support/served-models.js';

const failed = 'INTERNAL INFERENCE_FAILED';

describe('a text that the model cannot run', () => {
  it('fails alone, wherever it comes, and what is told of it is nothing', async (t) => {
    const served = await ServedModels.start(t, ['poison', 'topics']);
    const client = served.client();

    const batch = await client.classifyBatch(['the coach', 'the poison', 'the soup', 'poison', 'the law']);
    assert.deepEqual(
      batch.map((result) => outcomeOf(result.ok ? undefined : result.error)),
      ['OK', failed, 'OK', failed, 'OK'],
    );
    for (const result of batch) {
      if (result.ok) continue;
      assert.equal(result.error.message, 'the model failed on this input');
      assert.ok((result.error.requestId ?? '') !== '');
    }

    const texts = Array.from({ length: 64 }, (_, i) => (i % 16 === 5 ? `poison ${i}` : `the coach ${i}`));
    const stream = await collect(client.classifyStream(texts));
    assert.deepEqual(
      stream.map((result) => outcomeOf(result.ok ? undefined : result.error)),
      texts.map((text) => (text.startsWith('poison') ? failed : 'OK')),
    );

    const unary = ['the vote', 'poison', 'the chip'].map((text) => client.classify(`${text}!`));
    assert.deepEqual(await outcomesOf(unary), { OK: 2, [failed]: 1 });
    // A failure is not remembered: the text is run again, and fails again.
    assert.deepEqual(await outcomesOf([client.classify('poison!')]), { [failed]: 1 });

    assert.equal(await client.health(), 'serving');
    assert.equal(await served.server.metric('verdict_instances_lost_total'), 0);
    assert.ok((await served.server.metric('verdict_batch_retries_total', { reason: 'bisect' })) > 0);
    assert.equal(await served.server.metric('verdict_batch_retries_total', { model: 'topics' }), 0);
    assert.equal((await client.classify('the coach', { model: 'topics' })).label, 'sports');
    const log = JSON.stringify(served.server.log);
    assert.ok(!log.includes('the coach') && !log.includes('poison!'));
  });
});
