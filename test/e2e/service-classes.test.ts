import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { batchRequest, streamRequest, textRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { StreamCall } from '../support/stream-call.js';
import { unaryOutcome } from '../support/unary-outcome.js';
import { until } from '../support/until.js';
import { detailsOf } from '../unit/rpc/details.js';

let made = 0;
/** A text that nobody has asked for. */
const freshText = (): string => `text number ${made++}`;
const freshRequests = (count: number) => Array.from({ length: count }, () => streamRequest(freshText()));

describe('classes of service', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics'], {
      VERDICT_BATCH_MAX_ITEMS: '1',
      VERDICT_MAX_QUEUE_ITEMS: '64',
      // One connection keeps the order of the answers, and speaks for several callers.
      VERDICT_TRUSTED_PROXIES: '127.0.0.1',
    });
  });

  after(() => service.stop());

  const unary = (text: string, fields: Readonly<Record<string, string>> = {}) =>
    unaryOutcome(service.classifier.classify.bind(service.classifier), textRequest(text), fields);

  /**
   * Opens streams while the session is held in a run, so that all that they send is queued, does something more, and
   * tells the order in which the answers came. All calls share a connection, which keeps that order.
   */
  async function orderOfAnswers(
    streams: readonly { readonly name: string; readonly count: number; readonly serviceClass?: string }[],
    more: (note: (name: string) => void) => readonly Promise<void>[],
    queued: number,
  ): Promise<string[]> {
    const order: string[] = [];
    const release = service.holdSession('topics');
    try {
      const held = unary(freshText());
      await service.untilRunning('topics');
      const ends = streams.map(async ({ name, count, serviceClass }, index) => {
        const fields: Record<string, string> = { 'x-forwarded-for': `10.0.0.${index}` };
        if (serviceClass !== undefined) fields['verdict-class'] = serviceClass;
        const stream = new StreamCall(service.classifier, fields).send(...freshRequests(count)).end();
        for (let i = 0; i < count; i++) {
          assert.equal((await stream.next()).outcome?.$case, 'classification');
          order.push(name);
        }
      });
      await service.untilQueued(
        'topics',
        streams.reduce((sum, { count }) => sum + count, 0),
      );
      const others = more((name) => order.push(name));
      await service.untilQueued('topics', queued);
      release();
      await Promise.all([held, ...ends, ...others]);
    } finally {
      release();
    }
    return order;
  }

  it('a unary call goes before a stream that was there first', async () => {
    const order = await orderOfAnswers(
      [{ name: 'stream', count: 6 }],
      (note) => [unary(freshText()).then(({ error }) => note(error === null ? 'unary' : 'error'))],
      7,
    );
    assert.deepEqual(order, ['unary', ...new Array<string>(6).fill('stream')]);
  });

  it('a stream that asks for it is interactive, and has more turns than one that does not', async () => {
    const order = await orderOfAnswers(
      [
        { name: 'bulk', count: 8 },
        { name: 'interactive', count: 4, serviceClass: 'interactive' },
      ],
      () => [],
      12,
    );
    // With a weight of 4 all four are done before the second turn of the other class is over.
    assert.ok(order.lastIndexOf('interactive') <= 5, order.join(' '));
    assert.ok(order.indexOf('bulk') < 8);
  });

  it('a caller of few calls goes before most of what a caller of many has queued', async () => {
    const order = await orderOfAnswers(
      [],
      (note) => {
        const call = async (caller: string, address: string) => {
          await unary(freshText(), { 'x-forwarded-for': address });
          note(caller);
        };
        const greedy = Array.from({ length: 40 }, () => call('greedy', '10.0.0.1'));
        return [...greedy, ...Array.from({ length: 3 }, () => call('careful', '10.0.0.2'))];
      },
      43,
    );
    assert.equal(order.length, 43);
    assert.ok(order.lastIndexOf('careful') <= 8, order.join(' '));
  });

  it('a caller of many calls cannot fill the queue', async () => {
    const refused: string[] = [];
    const order = await orderOfAnswers(
      [],
      (note) => {
        const call = async (caller: string, address: string) => {
          const { error } = await unary(freshText(), { 'x-forwarded-for': address });
          if (error === null) note(caller);
          else refused.push(caller);
        };
        const greedy = Array.from({ length: 70 }, () => call('greedy', '10.0.0.1'));
        return [...greedy, ...Array.from({ length: 10 }, () => call('careful', '10.0.0.2'))];
      },
      58,
    );
    assert.deepEqual(new Set(refused), new Set(['greedy']));
    assert.equal(order.filter((caller) => caller === 'careful').length, 10);
  });

  it('streams of one class take turns', async () => {
    const order = await orderOfAnswers(
      [
        { name: 'a', count: 12 },
        { name: 'b', count: 3 },
      ],
      () => [],
      15,
    );
    assert.ok(order.lastIndexOf('b') <= 7, order.join(' '));
  });

  it('a unary call that joins a text in a stream pulls it forward', async () => {
    const text = freshText();
    const release = service.holdSession('topics');
    const order: string[] = [];
    try {
      const held = unary(freshText());
      await service.untilRunning('topics');
      const stream = new StreamCall(service.classifier)
        .send(...freshRequests(6))
        .send(streamRequest(text))
        .end();
      const answers = stream.rest().then(() => order.push('stream'));
      await service.untilQueued('topics', 7);
      const joined = unary(text).then(({ response }) =>
        order.push(response?.classification?.cache === undefined ? 'none' : 'joined'),
      );
      await until(
        'the unary call has joined',
        async () => (await service.server.metric('verdict_cache_joins_total')) === 1,
      );
      assert.equal(await service.server.metric('verdict_queue_items', { class: 'interactive' }), 1);
      release();
      await Promise.all([held, answers, joined]);
    } finally {
      release();
    }
    assert.deepEqual(order, ['joined', 'stream']);
  });

  it('no other class exists: INVALID_ARGUMENT names the metadata, whatever the kind of call', async () => {
    const fields = { 'verdict-class': 'urgent' };
    const { classifier } = service;
    const call = await unary(freshText(), fields);
    const batch = await unaryOutcome(
      classifier.batchClassify.bind(classifier),
      batchRequest([freshText()]),
      fields,
    );
    for (const { error } of [call, batch]) {
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.deepEqual(detailsOf(error).fields, ['verdict-class']);
      assert.equal(detailsOf(error).reason, 'INVALID_FIELD');
    }
    const stream = new StreamCall(classifier, fields).send(streamRequest(freshText()));
    assert.deepEqual(await stream.rest(), []);
    assert.equal((await stream.status).code, status.INVALID_ARGUMENT);
  });
});

describe('unary calls beside streams that saturate a short queue', () => {
  it('are all answered, none refused, and the streams go on', async () => {
    const service = await Service.start(['topics'], {
      VERDICT_BATCH_MAX_ITEMS: '2',
      VERDICT_MAX_QUEUE_ITEMS: '16',
    });
    const leave = new AbortController();
    try {
      const endless = function* () {
        for (;;) yield freshText();
      };
      let streamed = 0;
      const streams = Array.from({ length: 3 }, async () => {
        for await (const { ok } of service.client.classifyStream(endless(), { signal: leave.signal })) {
          assert.ok(ok);
          streamed++;
        }
      });
      const ended = Promise.allSettled(streams);
      await until('the streams fill the queue', async () => {
        return (await service.server.metric('verdict_queue_items', { class: 'bulk' })) >= 8;
      });
      const before = streamed;
      for (let i = 0; i < 40; i++) await service.client.classify(freshText());
      assert.ok(streamed > before);
      assert.equal(await service.server.metric('verdict_shed_total', { class: 'interactive' }), 0);
      leave.abort();
      await ended;
    } finally {
      leave.abort();
      await service.stop();
    }
  });
});
