import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ClassifyRequest } from '../../generated/verdict/v1/classifier_service.js';
import { streamRequest, textRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { StreamCall, short } from '../support/stream-call.js';
import { unaryOutcome } from '../support/unary-outcome.js';
import { classifyPath, frame, RawCall } from '../unit/rpc/raw-call.js';

/** Long enough for a call to reach the queue of a busy machine's server before it. */
const timeoutMs = 2_000;

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
   * Leads calls to where the first is in a run and `queued` inputs of the others wait behind it, then waits for the end
   * that they come to. Afterwards the session goes on, and has seen the one input and that of a last call, no more.
   */
  async function whileHeld(
    queued: number,
    first: () => Promise<unknown>,
    ...others: (() => Promise<unknown>)[]
  ): Promise<void> {
    const release = service.holdSession('topics');
    try {
      const ends = [first()];
      await service.untilRunning('topics');
      for (const begin of others) ends.push(begin());
      await service.untilQueued('topics', queued);
      await Promise.all(ends);
      await service.untilQueued('topics', 0);
    } finally {
      release();
    }
    await service.client.classify(newText());
    assert.equal(await service.itemsRun('topics'), runs + 2);
    assert.equal(await droppedItems(), dropped + queued);
  }

  it('cancelled in a run and in the queue: the caller is free at once, what waited never runs', async () => {
    const leaving = new AbortController();
    const call = async () => {
      await assert.rejects(service.client.classify(newText(), { signal: leaving.signal }), {
        code: 'CANCELLED',
      });
    };
    const batch = async () => {
      const texts = [newText(), newText(), newText()];
      await assert.rejects(service.client.classifyBatch(texts, { signal: leaving.signal }), {
        code: 'CANCELLED',
      });
    };
    const leave = async () => {
      await service.untilQueued('topics', 5);
      leaving.abort();
    };
    await whileHeld(5, call, call, call, batch, leave);
  });

  it('past their deadline in a run and in the queue: DEADLINE_EXCEEDED, what waited never runs', async () => {
    const call = async () => {
      await assert.rejects(service.client.classify(newText(), { timeoutMs }), { code: 'DEADLINE_EXCEEDED' });
    };
    await whileHeld(2, call, call, call);
  });

  it('without a deadline of their own, the default one ends them', async () => {
    const { classifier } = service;
    const call = async () => {
      const { error } = await unaryOutcome(classifier.classify.bind(classifier), textRequest(newText()));
      assert.equal(error?.code, status.DEADLINE_EXCEEDED);
      assert.equal(error.details, 'the deadline has passed');
    };
    await whileHeld(1, call, call);
  });

  it('a stream that is cancelled takes its queued items with it', async () => {
    const stream = new StreamCall(service.classifier);
    const run = async () => {
      stream.send(streamRequest(newText()));
      assert.equal((await stream.status).code, status.CANCELLED);
    };
    const leave = async () => {
      stream.send(...Array.from({ length: 20 }, () => streamRequest(newText())));
      await service.untilQueued('topics', 20);
      stream.call.cancel();
    };
    await whileHeld(20, run, leave);
  });

  it("a stream's own deadline ends it, queued items and all", async () => {
    const deadline = Date.now() + timeoutMs;
    const stream = new StreamCall(service.classifier, {}, { deadline });
    const run = async () => {
      stream.send(streamRequest(newText()));
      assert.equal((await stream.status).code, status.DEADLINE_EXCEEDED);
    };
    await whileHeld(3, run, async () => void stream.send(...[1, 2, 3].map(() => streamRequest(newText()))));
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
