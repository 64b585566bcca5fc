import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { QuotaFailure } from '../../../generated/google/rpc/error_details.js';
import { Status } from '../../../generated/google/rpc/status.js';
import { VerdictError } from '../../../src/errors.js';
import { RateLimiter } from '../../../src/ratelimit/rate-limiter.js';
import type { RateLimits } from '../../../src/ratelimit/types.js';
import { batchRequest, streamRequest, textRequest } from '../../support/requests.js';
import { StreamCall, short } from '../../support/stream-call.js';
import { detailsOf } from './details.js';
import { answerTo, Edge, type EdgeParts, HeldClassifier, timeout, unary } from './edge.js';

const none: RateLimits = { requestsPerMinute: 0, tokensPerMinute: 0, textsInFlight: 0 };

const limited = (limits: Partial<RateLimits>, parts: Omit<EdgeParts, 'limiter'> = {}): EdgeParts => ({
  ...parts,
  limiter: new RateLimiter({ defaults: { ...none, ...limits } }),
});

/** On a connection of its own. */
function call({ classifier }: Edge, text: string, fields: Readonly<Record<string, string>> = {}) {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return unary(classifier.classify.bind(classifier), textRequest(text), metadata);
}

const batch = ({ classifier }: Edge, texts: readonly string[]) =>
  unary(classifier.batchClassify.bind(classifier), batchRequest(texts), new Metadata());

describe('a caller with limits', { timeout }, () => {
  it('is told which one it has reached, whose it is, and when to come again', async () => {
    await Edge.run(limited({ requestsPerMinute: 2 }), async (edge) => {
      const ask = () => call(edge, 'a');
      assert.equal((await ask()).error, null);
      assert.equal((await ask()).error, null);
      const { error } = await ask();
      assert.equal(error?.code, status.RESOURCE_EXHAUSTED);
      assert.equal(error?.details, "over the caller's limit: at most 2 inputs a minute");
      const { reason, retryMs = 0 } = detailsOf(error);
      assert.equal(reason, 'RATE_LIMITED');
      assert.ok(retryMs > 25_000 && retryMs <= 30_000, String(retryMs));
      const [packed] = error?.metadata.get('grpc-status-details-bin') ?? [];
      const found = Status.decode(packed as Buffer).details.find(({ typeUrl }) =>
        typeUrl.endsWith('QuotaFailure'),
      );
      assert.deepEqual(QuotaFailure.decode(found?.value ?? Buffer.alloc(0)).violations, [
        { subject: '127.0.0.1', description: 'at most 2 inputs a minute' },
      ]);
    });
  });

  it('is the same on all of its connections, and behind a trusted proxy whom that speaks for', async () => {
    const options = { connection: { trustedProxies: ['127.0.0.1'] } };
    await Edge.run(limited({ requestsPerMinute: 3 }, { options }), async (edge) => {
      const ask = async (address?: string) => {
        const fields = address === undefined ? {} : { 'x-forwarded-for': `1.2.3.4, ${address}` };
        return (await call(edge, 'a', fields)).error?.code;
      };
      const refused = status.RESOURCE_EXHAUSTED;
      const from = async (address: string) => [
        await ask(address),
        await ask(address),
        await ask(address),
        await ask(address),
      ];
      assert.deepEqual(await from('10.0.0.1'), [undefined, undefined, undefined, refused]);
      assert.deepEqual(await from('10.0.0.2'), [undefined, undefined, undefined, refused]);
      // One /64 is one caller.
      assert.deepEqual(await from('2001:db8::1'), [undefined, undefined, undefined, refused]);
      assert.equal(await ask('2001:db8::2'), refused);
      assert.equal(await ask(), undefined);
    });
  });

  it('pays for every input of a batch, which comes in whole or not at all', async () => {
    await Edge.run(limited({ requestsPerMinute: 5, textsInFlight: 3 }), async (edge) => {
      const ask = (...texts: string[]) => batch(edge, texts);
      // An input that is refused for itself has left, too.
      const { response } = await ask('a', '', 'c');
      assert.deepEqual(
        response?.results.map(({ outcome }) => outcome?.$case),
        ['classification', 'error', 'classification'],
      );
      const { error } = await ask('a', 'b', 'c');
      assert.equal(error?.details, "over the caller's limit: at most 5 inputs a minute");
      assert.equal((await ask('a', 'b')).error, null);
      const tooLarge = await ask('a', 'b', 'c', 'd');
      assert.equal(
        tooLarge.error?.details,
        "the batch has more inputs than the caller's limit: at most 3 texts in flight",
      );
      assert.equal(detailsOf(tooLarge.error).retryMs, undefined);
    });
  });

  it('gets its room back from a batch that failed as a whole', async () => {
    const full = new VerdictError('resource_exhausted', 'full', { reason: 'QUEUE_FULL', retryAfterMs: 5 });
    const classify: EdgeParts['classify'] = (item) => {
      if (item.input.text === 'b') throw full;
      return answerTo(item);
    };
    await Edge.run(limited({ textsInFlight: 4 }, { classify }), async (edge) => {
      for (let round = 0; round < 3; round++) {
        const { error } = await batch(edge, ['a', 'b', 'c', 'd']);
        assert.equal(detailsOf(error).reason, 'QUEUE_FULL', `round ${round}`);
      }
    });
  });

  it('goes on with a stream whose inputs beyond the limit fail, each by itself', async () => {
    await Edge.run(limited({ requestsPerMinute: 3 }), async (edge) => {
      const stream = new StreamCall(edge.classifier);
      stream.send(...['a', 'b', 'c', 'd', 'e'].map((text) => streamRequest(text))).end();
      const responses = await stream.rest();
      assert.deepEqual(responses.map(short), ['0:=a', '1:=b', '2:=c', '3:!RATE_LIMITED', '4:!RATE_LIMITED']);
      assert.equal((await stream.status).code, status.OK);
    });
  });

  it('has texts in flight until they are answered or given up', async () => {
    const held = new HeldClassifier();
    await Edge.run(limited({ textsInFlight: 2 }, { classify: held.classify }), async (edge) => {
      const ask = (text: string) => call(edge, text);
      const [first, second] = [ask('a'), ask('b')];
      await Promise.all([held.arrived('a'), held.arrived('b')]);
      const { error } = await ask('c');
      assert.equal(error?.details, "over the caller's limit: at most 2 texts in flight");
      assert.equal(detailsOf(error).retryMs, 100);
      held.answer('a');
      held.fail('b', new Error('broken'));
      assert.equal((await first).error, null);
      assert.equal((await second).error?.code, status.INTERNAL);
      const [third, fourth] = [ask('d'), ask('e')];
      await Promise.all([held.arrived('d'), held.arrived('e')]);
      held.answer('d');
      held.answer('e');
      await Promise.all([third, fourth]);
    });
  });
});
