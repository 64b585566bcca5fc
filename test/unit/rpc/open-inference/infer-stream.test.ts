import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ClientDuplexStream, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import type {
  ModelInferRequest,
  ModelStreamInferResponse,
} from '../../../../generated/inference/grpc_service.js';
import { VerdictError } from '../../../../src/errors.js';
import { inferParameters, inferRequest } from '../../../support/infer-requests.js';
import { until } from '../../../support/until.js';
import { answerTo, type Classify, Edge, HeldClassifier, timeout } from '../edge.js';

/** A ModelStreamInfer call, and what came of it so far. */
class InferCall {
  readonly responses: ModelStreamInferResponse[] = [];
  readonly status: Promise<StatusObject>;
  readonly call: ClientDuplexStream<ModelInferRequest, ModelStreamInferResponse>;

  constructor(edge: Edge) {
    this.call = edge.inference.modelStreamInfer(new Metadata());
    this.status = new Promise((resolve) => this.call.on('status', resolve));
    this.call.on('error', () => undefined);
    this.call.on('data', (response: ModelStreamInferResponse) => this.responses.push(response));
  }

  send(...requests: ModelInferRequest[]): this {
    for (const request of requests) this.call.write(request);
    return this;
  }

  /** `id=label`, or `id!message`. */
  get short(): string[] {
    return this.responses.map(({ errorMessage, inferResponse }) => {
      const [label] = inferResponse?.outputs[0]?.contents?.bytesContents ?? [];
      const what = errorMessage === '' ? `=${String(label)}` : `!${errorMessage}`;
      return `${inferResponse?.id ?? ''}${what}`;
    });
  }
}

const one = (text: string, id: string) => inferRequest([text], { id });

/** A string or boolean parameter of a response. */
const parameter = ({ inferResponse }: ModelStreamInferResponse, name: string) =>
  inferResponse?.parameters[name]?.parameterChoice?.value;

describe('ModelStreamInfer', { timeout }, () => {
  it('answers every request in its order and with its id, and says that each answer is the last', async () => {
    const held = new HeldClassifier();
    const classify: Classify = (item, claim) =>
      item.input.text === 'slow' ? held.classify(item, claim) : answerTo(item);
    await Edge.run({ classify }, async (edge) => {
      const stream = new InferCall(edge).send(one('slow', '1'), one('b', '2'), one('c', '1'));
      stream.call.end();
      await held.arrived('slow');
      held.answer('slow');
      assert.equal((await stream.status).code, status.OK);
      assert.deepEqual(stream.short, ['1=slow', '2=b', '1=c']);
      assert.deepEqual(
        stream.responses.map((response) => parameter(response, 'triton_final_response')),
        [true, true, true],
      );
      assert.deepEqual(edge.streams, [1, 0]);
    });
  });

  it('goes on after a request that fails, and tells why it failed', async () => {
    await Edge.run({}, async (edge) => {
      const wrong = inferRequest(['a'], { id: 'wrong', parameters: inferParameters({ depth: 1n }) });
      const stream = new InferCall(edge).send(one('a', '1'), one('', '2'), wrong, one('d', '4'));
      stream.call.end();
      assert.equal((await stream.status).code, status.OK);
      const [first, empty, unknown, last] = stream.short;
      assert.deepEqual([first, empty, last], ['1=a', '2!inputs[0][0]: must not be empty', '4=d']);
      assert.match(unknown ?? '', /^wrong!parameters\.depth: is not a known parameter/);
      const failed = stream.responses[1];
      assert.ok(failed !== undefined);
      assert.deepEqual(
        [parameter(failed, 'code'), parameter(failed, 'reason')],
        ['INVALID_ARGUMENT', 'INVALID_FIELD'],
      );
    });
  });

  it('logs the cause of an internal failure and does not send it', async () => {
    const cause = new Error('secret');
    const classify: Classify = async (item) => {
      if (item.input.text === 'poison') throw cause;
      return answerTo(item);
    };
    await Edge.run({ classify }, async (edge) => {
      const stream = new InferCall(edge).send(one('poison', '1'), one('b', '2'));
      stream.call.end();
      await stream.status;
      assert.deepEqual(stream.short, ['1!internal error', '2=b']);
      assert.deepEqual(edge.itemFailures, [cause]);
    });
  });

  it('lets its requests wait for room, and reads no more than the window holds', async () => {
    const waits = new Set<string>();
    const held = new HeldClassifier();
    const classify: Classify = (item, claim) => {
      waits.add(claim.whenFull);
      return held.classify(item, claim);
    };
    await Edge.run({ classify, options: { streamWindow: 2 } }, async (edge) => {
      const texts = ['a', 'b', 'c', 'd'];
      const stream = new InferCall(edge).send(...texts.map((text) => one(text, text)));
      stream.call.end();
      await held.arrived('b');
      assert.equal(held.callers.has('c'), false);
      held.answer('a');
      await held.arrived('c');
      assert.equal(held.callers.has('d'), false);
      held.answer('b');
      await held.arrived('d');
      held.answer('c');
      held.answer('d');
      await stream.status;
      assert.deepEqual(stream.short, ['a=a', 'b=b', 'c=c', 'd=d']);
      assert.deepEqual([...waits], ['wait']);
    });
  });

  it('gives up a request whose time has passed, and goes on', async () => {
    const held = new HeldClassifier();
    const classify: Classify = (item, claim) =>
      item.input.text === 'never' ? held.classify(item, claim) : answerTo(item);
    await Edge.run({ classify, options: { defaultDeadlineMs: 20 } }, async (edge) => {
      const stream = new InferCall(edge).send(one('never', '1'), one('b', '2'));
      stream.call.end();
      await stream.status;
      assert.deepEqual(stream.short, ['1!the deadline has passed', '2=b']);
      held.fail('never', new VerdictError('cancelled', 'gone', { reason: 'X' }));
    });
  });

  it('answers what it holds when the server stops, and ends with UNAVAILABLE', async () => {
    const held = new HeldClassifier();
    await Edge.run({ classify: held.classify }, async (edge) => {
      const stream = new InferCall(edge).send(one('a', '1'));
      await held.arrived('a');
      const drained = edge.server.drain(new AbortController().signal);
      held.answer('a');
      assert.equal((await stream.status).code, status.UNAVAILABLE);
      assert.deepEqual(stream.short, ['1=a']);
      await drained;
    });
  });

  it('is forgotten with all it holds when the caller leaves', async () => {
    const held = new HeldClassifier();
    await Edge.run({ classify: held.classify }, async (edge) => {
      const stream = new InferCall(edge).send(one('a', '1'));
      await held.arrived('a');
      stream.call.cancel();
      await until('the server has heard of it', () => held.callers.get('a')?.signal.aborted === true);
      assert.equal((await edge.handledCall()).code, 'CANCELLED');
      await until('nothing is held', () => edge.server.heldBytes === 0);
      assert.deepEqual(edge.streams, [1, 0]);
      held.answer('a');
    });
  });
});
