import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { fromServiceError } from '../../clients/typescript/src/client-error.js';
import { CacheMode, CacheOutcome, ClassifyOptions } from '../../generated/verdict/v1/classification.js';
import type { ClassifyStreamResponse, StreamEnd } from '../../generated/verdict/v1/classifier_service.js';
import { settingsMessage, streamRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { StreamCall, short } from '../support/stream-call.js';

const options = (partial: Partial<ClassifyOptions>): ClassifyOptions => ClassifyOptions.fromPartial(partial);

describe('the settings and the end of a stream', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics', 'pairs']);
  });

  after(() => service.stop());

  const open = (fields = {}): StreamCall => new StreamCall(service.classifier, fields);

  it('alone on the first message they are no request: the next one has index 0', async () => {
    const stream = open().send(settingsMessage({}), streamRequest('match', { id: 'first' }));
    assert.deepEqual((await stream.end().rest()).map(short), ['0:first=sports']);
  });

  it('they may come together with the first request', async () => {
    const { settings } = settingsMessage({ defaultModel: 'pairs' });
    const stream = open().send(streamRequest('match', { settings }), streamRequest('match'));
    const models = (await stream.end().rest()).map(modelOf);
    assert.deepEqual(models, ['pairs', 'pairs']);
  });

  it('later they end the stream, after what it holds has been answered', async () => {
    const stream = open().send(
      streamRequest('match', { id: 'a' }),
      streamRequest('something new to compute', { id: 'b' }),
      settingsMessage({ sendEnd: true }),
      streamRequest('match', { id: 'never read' }),
    );
    const responses = await stream.rest();
    assert.deepEqual(
      responses.map(({ id }) => id),
      ['a', 'b'],
    );
    const ended = await stream.status;
    assert.equal(ended.code, status.INVALID_ARGUMENT);
    const error = fromServiceError({ ...ended, name: '', message: '' }, undefined);
    assert.equal(error.reason, 'LATE_SETTINGS');
    assert.deepEqual(error.violations, [
      { field: 'settings', description: 'may be set on the first message of the stream only' },
    ]);
  });

  it('wrong ones end the stream at once and name every field', async () => {
    const stream = open().send(
      settingsMessage({
        order: 7 as never,
        defaultModel: 'No Name',
        defaultOptions: options({ minScore: Number.NaN }),
      }),
    );
    assert.deepEqual(await stream.rest(), []);
    const ended = await stream.status;
    assert.equal(ended.code, status.INVALID_ARGUMENT);
    assert.deepEqual(
      fromServiceError({ ...ended, name: '', message: '' }, undefined).violations.map(({ field }) => field),
      ['settings.order', 'settings.default_model', 'settings.default_options.min_score'],
    );
  });

  it('default_model holds for requests that name none', async () => {
    const stream = open().send(
      settingsMessage({ defaultModel: 'pairs' }),
      streamRequest('match'),
      streamRequest('match', { model: 'topics' }),
      streamRequest('match', { version: '1' }),
    );
    assert.deepEqual((await stream.end().rest()).map(modelOf), ['pairs', 'topics', 'pairs']);
  });

  it('an unknown default_model fails the requests that rely on it, and no others', async () => {
    const stream = open().send(
      settingsMessage({ defaultModel: 'nobody' }),
      streamRequest('match'),
      streamRequest('match', { model: 'topics' }),
    );
    assert.deepEqual((await stream.end().rest()).map(short), ['0:!MODEL_NOT_FOUND', '1:=sports']);
  });

  it("default_options hold for requests that have none; a request's own replace them whole", async () => {
    const stream = open().send(
      settingsMessage({ defaultOptions: options({ topK: 3, cache: CacheMode.BYPASS }) }),
      streamRequest('match'),
      streamRequest('match', { options: options({ minScore: 0 }) }),
      streamRequest('match', { options: options({ topK: 0, cache: CacheMode.BYPASS }) }),
    );
    const answers = (await stream.end().rest()).map(({ outcome }) =>
      outcome?.$case === 'classification'
        ? [outcome.value.predictions.length, outcome.value.cache === CacheOutcome.BYPASSED]
        : [],
    );
    assert.deepEqual(answers, [
      [3, true],
      [1, false],
      [4, true],
    ]);
  });

  it('`end` counts answers, failures and where the answers came from', async () => {
    await service.client.classify('known to the cache');
    const bypass = options({ cache: CacheMode.BYPASS });
    const stream = open().send(
      settingsMessage({ sendEnd: true }),
      streamRequest('known to the cache'),
      streamRequest('known to the cache'),
      streamRequest('known to the cache', { options: bypass }),
      streamRequest('not known to it yet'),
      streamRequest(''),
      streamRequest('match', { model: 'nobody' }),
    );
    const responses = await stream.end().rest();
    assert.equal(responses.length, 7);
    assert.deepEqual(endOf(responses), {
      classifiedCount: 4,
      failedCount: 2,
      cacheCounts: [
        { outcome: CacheOutcome.MISS, count: 1 },
        { outcome: CacheOutcome.LRU, count: 2 },
        { outcome: CacheOutcome.BYPASSED, count: 1 },
      ],
      status: { code: status.OK, message: '', details: [] },
    });
    const last = responses.at(-1);
    assert.deepEqual([last?.id, last?.index], ['', 6]);
  });

  it('`end` comes for an empty stream too', async () => {
    const responses = await open()
      .send(settingsMessage({ sendEnd: true }))
      .end()
      .rest();
    assert.deepEqual(endOf(responses), {
      classifiedCount: 0,
      failedCount: 0,
      cacheCounts: [],
      status: { code: status.OK, message: '', details: [] },
    });
  });

  it("callers behind Envoy's transcoder get `end` without asking, with the status that they cannot see", async () => {
    const transcoded = { 'x-envoy-original-path': '/v1:classifyStream' };
    const well = await open(transcoded).send(streamRequest('match')).end().rest();
    assert.equal(endOf(well).status?.code, status.OK);

    const late = open(transcoded).send(streamRequest('match'), settingsMessage({}));
    const end = endOf(await late.rest());
    assert.deepEqual([end.status?.code, end.classifiedCount], [status.INVALID_ARGUMENT, 1]);
    assert.equal((await late.status).code, status.INVALID_ARGUMENT);
  });

  it('others get no `end` that they did not ask for', async () => {
    const responses = await open().send(settingsMessage({}), streamRequest('match')).end().rest();
    assert.deepEqual(
      responses.map(({ outcome }) => outcome?.$case),
      ['classification'],
    );
  });

  it("the package's client hands the counts over as its summary", async () => {
    const stream = service.client.classifyStream(['match', ''], { sendEnd: true });
    const results: boolean[] = [];
    for await (const { ok } of stream) results.push(ok);
    assert.deepEqual(results, [true, false]);
    assert.deepEqual([stream.summary?.classifiedCount, stream.summary?.failedCount], [1, 1]);
  });
});

function modelOf({ outcome }: ClassifyStreamResponse): string | undefined {
  return outcome?.$case === 'classification' ? outcome.value.model : outcome?.$case;
}

/** The `end` message, which must be the last one and the only one. */
function endOf(responses: readonly ClassifyStreamResponse[]): StreamEnd {
  const ends = responses.filter(({ outcome }) => outcome?.$case === 'end');
  assert.equal(ends.length, 1);
  const last = responses.at(-1)?.outcome;
  assert.ok(last?.$case === 'end');
  return last.value;
}
