import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ClientDuplexStream, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import {
  PredictPairRequest,
  PredictRequest,
  type PredictResponse,
} from '../../../../generated/tei/v1/tei.js';
import type { InputClaim } from '../../../../src/classify/types.js';
import { VerdictError } from '../../../../src/errors.js';
import { until } from '../../../support/until.js';
import { detailsOf } from '../details.js';
import { answerTo, type Classify, Edge, HeldClassifier, timeout } from '../edge.js';

/** A PredictStream or PredictPairStream call, and what came of it so far. */
class PredictCall<Req> {
  /** The best label of each answer, which is the text. */
  readonly labels: string[] = [];
  readonly status: Promise<StatusObject>;
  readonly call: ClientDuplexStream<Req, PredictResponse>;

  constructor(call: ClientDuplexStream<Req, PredictResponse>, ...requests: Req[]) {
    this.call = call;
    this.status = new Promise((resolve) => this.call.on('status', resolve));
    this.call.on('error', () => undefined);
    this.call.on('data', ({ predictions }: PredictResponse) =>
      this.labels.push(String(predictions[0]?.label)),
    );
    for (const request of requests) this.call.write(request);
  }

  /** Its status, once it has ended and this side sends nothing more. */
  async ended(): Promise<StatusObject> {
    this.call.end();
    return this.status;
  }
}

const texts = (edge: Edge, ...all: string[]) =>
  new PredictCall(
    edge.predict.predictStream(new Metadata()),
    ...all.map((inputs) => PredictRequest.fromPartial({ inputs })),
  );

/** Texts that begin with `slow` are held, all others are answered at once. */
const mixed = (held: HeldClassifier): Classify => {
  return (item, claim) => (item.input.text.startsWith('slow') ? held.classify(item, claim) : answerTo(item));
};

describe('PredictStream', () => {
  it('answers in the order of the requests', { timeout }, async () => {
    const held = new HeldClassifier();
    await Edge.run({ classify: mixed(held) }, async (edge) => {
      const stream = texts(edge, 'slow', 'b', 'c');
      await held.arrived('slow');
      held.answer('slow');
      assert.equal((await stream.ended()).code, status.OK);
      assert.deepEqual(stream.labels, ['slow', 'b', 'c']);
      assert.deepEqual(edge.streams, [1, 0]);
    });
  });

  it('ends at a request that is wrong, names its field, and answers nothing behind it', {
    timeout,
  }, async () => {
    await Edge.run({}, async (edge) => {
      const stream = texts(edge, 'a', '', 'c');
      const ended = await stream.ended();
      assert.deepEqual([ended.code, ended.details], [status.INVALID_ARGUMENT, 'inputs: must not be empty']);
      assert.deepEqual(detailsOf(ended).fields, ['inputs']);
      assert.deepEqual(stream.labels, ['a']);
      const { sent } = await edge.handledCall();
      assert.equal(sent, 1);
    });
  });

  it('answers what came before a failure first, however long that takes, and gives up what came behind', {
    timeout,
  }, async () => {
    const held = new HeldClassifier();
    await Edge.run({ classify: mixed(held) }, async (edge) => {
      const stream = texts(edge, 'slow 1', '', 'slow 3');
      await held.arrived('slow 3');
      held.answer('slow 1');
      assert.equal((await stream.ended()).code, status.INVALID_ARGUMENT);
      assert.deepEqual(stream.labels, ['slow 1']);
      await until('the last one is given up', () => held.callers.get('slow 3')?.signal.aborted === true);
      await until('nothing is held', () => edge.server.heldBytes === 0);
      held.answer('slow 3');
    });
  });

  it('sends an internal failure without its cause', { timeout }, async () => {
    const classify: Classify = async (item) => {
      if (item.input.text === 'poison') throw new Error('secret');
      return answerTo(item);
    };
    await Edge.run({ classify }, async (edge) => {
      const stream = texts(edge, 'a', 'poison', 'c');
      const { code, details } = await stream.ended();
      assert.deepEqual([code, details], [status.INTERNAL, 'internal error']);
      assert.deepEqual(stream.labels, ['a']);
    });
  });

  it('ends with the code and the details of an overload', { timeout }, async () => {
    const full = new VerdictError('resource_exhausted', 'full', { reason: 'QUEUE_FULL', retryAfterMs: 40 });
    await Edge.run({ classify: () => Promise.reject(full) }, async (edge) => {
      const ended = await texts(edge, 'a').ended();
      assert.equal(ended.code, status.RESOURCE_EXHAUSTED);
      assert.equal(detailsOf(ended).reason, 'QUEUE_FULL');
    });
  });

  it('ends at a request whose time has passed', { timeout }, async () => {
    const held = new HeldClassifier();
    await Edge.run({ classify: mixed(held), options: { defaultDeadlineMs: 20 } }, async (edge) => {
      const stream = texts(edge, 'a', 'slow', 'c');
      assert.equal((await stream.ended()).code, status.DEADLINE_EXCEEDED);
      assert.deepEqual(stream.labels, ['a']);
    });
  });

  it('computes in the bulk class, waits for room, and reads no more than the window holds', {
    timeout,
  }, async () => {
    const held = new HeldClassifier();
    const claims: InputClaim[] = [];
    const classify: Classify = (item, claim) => {
      claims.push(claim);
      return held.classify(item, claim);
    };
    await Edge.run({ classify, options: { streamWindow: 2 } }, async (edge) => {
      const stream = texts(edge, 'a', 'b', 'c');
      await held.arrived('b');
      assert.equal(held.callers.has('c'), false);
      held.answer('a');
      await held.arrived('c');
      held.answer('b');
      held.answer('c');
      assert.equal((await stream.ended()).code, status.OK);
      assert.deepEqual(stream.labels, ['a', 'b', 'c']);
      assert.deepEqual(
        claims.map(({ serviceClass, whenFull }) => [serviceClass, whenFull]),
        Array.from({ length: 3 }, () => ['bulk', 'wait']),
      );
    });
  });

  it('answers what it holds when the server stops, and ends with UNAVAILABLE', { timeout }, async () => {
    const held = new HeldClassifier();
    await Edge.run({ classify: held.classify }, async (edge) => {
      const stream = texts(edge, 'a');
      await held.arrived('a');
      const drained = edge.server.drain(new AbortController().signal);
      held.answer('a');
      assert.equal((await stream.status).code, status.UNAVAILABLE);
      assert.deepEqual(stream.labels, ['a']);
      await drained;
    });
  });

  it('is forgotten with all it holds when the caller leaves', { timeout }, async () => {
    const held = new HeldClassifier();
    await Edge.run({ classify: held.classify }, async (edge) => {
      const stream = texts(edge, 'a');
      await held.arrived('a');
      stream.call.cancel();
      await until('the server has heard of it', () => held.callers.get('a')?.signal.aborted === true);
      await until('nothing is held', () => edge.server.heldBytes === 0);
      assert.deepEqual(edge.streams, [1, 0]);
      held.answer('a');
    });
  });
});

describe('PredictPairStream', () => {
  it('takes texts and pairs, and ends at a request with three', { timeout }, async () => {
    const seen: (string | undefined)[] = [];
    const classify: Classify = (item) => {
      seen.push(item.input.textPair);
      return answerTo(item);
    };
    await Edge.run({ classify }, async (edge) => {
      const requests = [['a'], ['b', 'c'], ['d', 'e', 'f'], ['g']].map((inputs) =>
        PredictPairRequest.fromPartial({ inputs }),
      );
      const stream = new PredictCall(edge.predict.predictPairStream(new Metadata()), ...requests);
      const { code, details } = await stream.ended();
      assert.deepEqual(
        [code, details],
        [status.INVALID_ARGUMENT, 'inputs: must have one text or two, has 3'],
      );
      assert.deepEqual(stream.labels, ['a', 'b']);
      assert.deepEqual(seen.slice(0, 2), [undefined, 'c']);
    });
  });
});
