import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Classification, InputClaim, InputRequest } from '../../../src/classify/types.js';
import { PayloadLog } from '../../../src/telemetry/payload-log.js';

const answer: Classification = {
  predictions: [{ label: 'POSITIVE', score: 0.9, index: 1 }],
  logits: Float32Array.of(-1, 1),
  ...{ model: 'sentiment', version: '1', alias: '', tokenCount: 3, truncated: false, cache: 'miss' },
  timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0, totalMs: 0, batchSize: 1 },
};
const claim: InputClaim = {
  ...{ signal: new AbortController().signal, deadlineAt: Number.POSITIVE_INFINITY },
  ...{ serviceClass: 'interactive', flow: undefined, whenFull: 'refuse', keyspace: '' },
};
const request = (input: InputRequest['input']): InputRequest => ({
  ...{ model: '', version: '', input },
  options: { topK: 1, minScore: undefined, activation: undefined, truncation: undefined, cache: 'use' },
});

function logging(options: { percent: number; random?: () => number; now?: () => number }) {
  const lines: Record<string, unknown>[] = [];
  const log = { info: (fields: Record<string, unknown>, msg: string) => void lines.push({ ...fields, msg }) };
  const answers: (Classification | Promise<Classification>)[] = [];
  const inner = { classify: () => answers.shift() ?? answer };
  const classifier = new PayloadLog(inner, log, { maxChars: 20, now: () => 0, ...options });
  return { classifier, lines, answers };
}

describe('the log of payloads', () => {
  it('tells text, pair and answer, redacted and shortened', () => {
    const { classifier, lines } = logging({ percent: 100 });
    void classifier.classify(
      request({ text: 'jane@example.com was here for a long time', textPair: 'ok' }),
      claim,
    );
    assert.deepEqual(lines, [
      {
        ...{ msg: 'payload', model: 'sentiment', version: '1', cache: 'miss', suppressed: 0 },
        ...{ text: '[email] was', text_pair: 'ok', label: 'POSITIVE', score: 0.9 },
      },
    ]);
  });

  it('tells the share that is asked for, of answers at once and later ones alike', async () => {
    let [drawn, now] = [0, 0];
    const draws = [0.09, 0.1, 0.5, 0.05];
    const { classifier, lines, answers } = logging({
      percent: 10,
      random: () => draws[drawn++] ?? 1,
      now: () => (now += 1_000),
    });
    answers.push(answer, answer, Promise.resolve(answer), Promise.resolve(answer));
    for (const text of ['a', 'b', 'c', 'd']) await classifier.classify(request({ text }), claim);
    assert.deepEqual(
      lines.map(({ text }) => text),
      ['a', 'd'],
    );
  });

  it('tells nothing of inputs that fail, and ten lines a second at most', async () => {
    let now = 0;
    const { classifier, lines, answers } = logging({ percent: 100, now: () => now });
    answers.push(Promise.reject(new Error('no')));
    await assert.rejects(async () => classifier.classify(request({ text: 'a' }), claim), /no/);
    for (now = 0; now < 1_000; now += 10) void classifier.classify(request({ text: 'b' }), claim);
    assert.equal(lines.length, 10);
    assert.equal(lines[1]?.suppressed, 9);
  });
});
