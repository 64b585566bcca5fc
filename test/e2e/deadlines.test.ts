import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ClassifyRequest } from '../../generated/verdict/v1/classifier_service.js';
import { streamRequest, textRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { StreamCall, short } from '../support/stream-call.js';
import { unaryOutcome } from '../support/unary-outcome.js';
import { frame } from '../support/wire-frames.js';
import { classifyPath, RawCall } from '../unit/rpc/raw-call.js';

/** Long enough for calls to reach the queue of a server on a busy machine. */
const timeoutMs = 8_000;

describe('calls that end before their work does', () => {
  let service: Service;
  let number = 0;
  let runs = 0;
  let dropped = 0;

  before(async () => {
    service = await Service.start(['topics'], {
      VERDICT_BATCH_MAX_ITEMS: '1',
      VERDICT_DEFAULT_DEADLINE_MS: String(timeoutMs),
    });
  });

  beforeEach(async () => {
    runs = await service.itemsRun('topics');
    dropped = await droppedItems();
  });

  after(() => service.stop());

  /** A text that nobody has asked for. */
  const newText = (): string => `text number ${number++}`;

  /** Inputs that were taken out of the queue because nobody waited for them any more. */
  async function droppedItems(): Promise<number> {
    const { server } = service;
    const expired = await server.metric('verdict_shed_total', { reason: 'expired' });
    return expired + (await server.metric('verdict_shed_total', { reason: 'abandoned' }));
  }

  /**
   * Leads calls to where the first is in a run and `queued` inputs of the others wait behind it, lets them be ended, and
   * waits for that. Afterwards the session goes on, and has seen the one input and that of a last call, no more.
   */
  async function whileHeld(calls: {
    readonly first: () => Promise<unknown>;
    readonly others: () => readonly Promise<unknown>[];
    readonly queued: number;
    readonly end?: () => void;
  }): Promise<void> {
    const release = service.holdSession('topics');
    try {
      const ends = [calls.first()];
      await service.untilRunning('topics');
      ends.push(...calls.others());
      await service.untilQueued('topics', calls.queued);
      calls.end?.();
      await Promise.all(ends);
      await service.untilQueued('topics', 0);
    } finally {
      release();
    }
    await service.client.classify(newText());
    assert.equal(await service.itemsRun('topics'), runs + 2);
    assert.equal(await droppedItems(), dropped + calls.queued);
  }

  it('cancelled in a run and in the queue: the caller is free at once, what waited never runs', async () => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const call = () => assert.rejects(service.client.classify(newText(), { signal }), { code: 'CANCELLED' });
    const batch = () => {
      const texts = [newText(), newText(), newText()];
      return assert.rejects(service.client.classifyBatch(texts, { signal }), { code: 'CANCELLED' });
    };
    await whileHeld({
      first: call,
      others: () => [call(), call(), batch()],
      queued: 5,
      end: () => leaving.abort(),
    });
  });

  it('past their deadline in a run and in the queue: DEADLINE_EXCEEDED, what waited never runs', async () => {
    const call = () =>
      assert.rejects(service.client.classify(newText(), { timeoutMs }), { code: 'DEADLINE_EXCEEDED' });
    await whileHeld({ first: call, others: () => [call(), call()], queued: 2 });
  });

  it('without a deadline of their own, the default one ends them', async () => {
    const { classifier } = service;
    const call = async () => {
      const { error } = await unaryOutcome(classifier.classify.bind(classifier), textRequest(newText()));
      assert.equal(error?.code, status.DEADLINE_EXCEEDED);
      assert.equal(error.details, 'the deadline has passed');
    };
    await whileHeld({ first: call, others: () => [call()], queued: 1 });
  });

  it('a stream that is cancelled takes its queued items with it', async () => {
    const stream = new StreamCall(service.classifier);
    const call = async () => {
      stream.send(streamRequest(newText()));
      assert.equal((await stream.status).code, status.CANCELLED);
    };
    const more = () => {
      stream.send(...Array.from({ length: 20 }, () => streamRequest(newText())));
      return [];
    };
    await whileHeld({ first: call, others: more, queued: 20, end: () => stream.call.cancel() });
  });

  it("a stream's own deadline ends it, queued items and all", async () => {
    const stream = new StreamCall(service.classifier, {}, { deadline: Date.now() + timeoutMs });
    const call = async () => {
      stream.send(streamRequest(newText()));
      assert.equal((await stream.status).code, status.DEADLINE_EXCEEDED);
    };
    const more = () => {
      stream.send(...Array.from({ length: 3 }, () => streamRequest(newText())));
      return [];
    };
    await whileHeld({ first: call, others: more, queued: 3 });
  });

  it('each item of a stream has a deadline of its own, and the stream goes on without it', async () => {
    const stream = new StreamCall(service.classifier);
    const release = service.holdSession('topics');
    try {
      stream.send(...[1, 2, 3].map(() => streamRequest(newText())));
      const late = [await stream.next(), await stream.next(), await stream.next()];
      assert.deepEqual(
        late.map(short),
        [0, 1, 2].map((index) => `${index}:!DEADLINE_EXCEEDED`),
      );
    } finally {
      release();
    }
    stream.send(streamRequest('match')).end();
    assert.deepEqual((await stream.rest()).map(short), ['3:=sports']);
    assert.equal((await stream.status).code, status.OK);
  });

  it('a deadline that has passed on arrival begins nothing', async () => {
    await RawCall.run(service.port, async (session) => {
      const call = new RawCall(session, classifyPath, { 'grpc-timeout': '1n' });
      call.stream.end(frame(ClassifyRequest.encode(textRequest(newText())).finish()));
      call.stream.resume();
      assert.equal((await call.trailers)['grpc-status'], String(status.DEADLINE_EXCEEDED));
    });
    await service.client.classify(newText());
    assert.equal(await service.itemsRun('topics'), runs + 1);
  });

  it('a signal that has been aborted sends nothing', async () => {
    const started = await service.server.metric('grpc_server_started_total');
    await assert.rejects(service.client.classify(newText(), { signal: AbortSignal.abort() }), {
      code: 'CANCELLED',
    });
    await service.client.classify(newText());
    assert.equal(await service.server.metric('grpc_server_started_total'), started + 1);
  });
});
