import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { Identity } from '../../../src/auth/identity.js';
import { WeightedFlow } from '../../../src/claim.js';
import { VerdictError } from '../../../src/errors.js';
import type { CallHead, CallObserver, Interceptor } from '../../../src/rpc/interceptor.js';
import { textRequest } from '../../support/requests.js';
import { answerTo, Edge, timeout, unary } from './edge.js';

/** A step that writes down what it sees, as `<name> in` and `<name> out <code>`. */
function recorder(name: string, seen: string[]): Interceptor {
  return {
    intercept: () => {
      seen.push(`${name} in`);
      return { onEnd: ({ code }) => seen.push(`${name} out ${code}`) };
    },
  };
}

function refusal(): VerdictError {
  return new VerdictError('resource_exhausted', 'too many calls', {
    reason: 'RATE_LIMITED',
    retryAfterMs: 5,
  });
}

/** A step that takes its time, until the test lets it go on. */
class Gate implements Interceptor {
  readonly #waiting: { resolve(observer?: CallObserver): void; reject(error: unknown): void }[] = [];
  #onWaiting = () => {};

  intercept(): Promise<CallObserver | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#onWaiting();
    });
  }

  async arrived(): Promise<void> {
    if (this.#waiting.length > 0) return;
    await new Promise<void>((resolve) => {
      this.#onWaiting = resolve;
    });
  }

  pass(observer?: CallObserver): void {
    this.#waiting.shift()?.resolve(observer);
  }

  refuse(error: unknown): void {
    this.#waiting.shift()?.reject(error);
  }
}

const classify = (edge: Edge, text = 'a', metadata = new Metadata(), options = {}) => {
  const client = edge.classifier;
  return unary(client.classify.bind(client), textRequest(text), metadata, options);
};

describe('the steps that calls pass', { timeout }, () => {
  it('see each call in their order, and its end the other way round', async () => {
    const seen: string[] = [];
    const interceptors = ['identity', 'limit'].map((name) => recorder(name, seen));
    await Edge.run({ interceptors }, async (edge) => {
      assert.equal((await classify(edge)).error, null);
      await edge.handledCall();
      assert.deepEqual(seen, ['identity in', 'limit in', 'limit out OK', 'identity out OK']);
    });
  });

  it('are told of every method before the first call', async () => {
    const methods: string[] = [];
    const step: Interceptor = {
      prepare: (all) => methods.push(...all.map(({ service, method }) => `${service}/${method}`)),
      intercept: () => undefined,
    };
    await Edge.run({ interceptors: [step] }, async () => {
      assert.ok(methods.includes('verdict.v1.ClassifierService/ClassifyStream'));
      assert.ok(methods.includes('grpc.health.v1.Health/Watch'));
      assert.ok(methods.includes('grpc.reflection.v1.ServerReflection/ServerReflectionInfo'));
    });
  });

  it('may refuse a call, which then reaches neither the steps behind nor its handler', async () => {
    const seen: string[] = [];
    const refuse: Interceptor = {
      intercept: () => {
        throw refusal();
      },
    };
    const interceptors = [recorder('first', seen), refuse, recorder('last', seen)];
    await Edge.run({ classify: () => assert.fail('the handler was reached'), interceptors }, async (edge) => {
      const { error } = await classify(edge);
      assert.ok(error);
      assert.equal(error.code, status.RESOURCE_EXHAUSTED);
      assert.match(error.details, /too many calls/);
      assert.deepEqual(seen, ['first in', 'first out RESOURCE_EXHAUSTED']);
    });
  });

  it('may take their time over a call: its message waits', async () => {
    const gate = new Gate();
    const seen: string[] = [];
    await Edge.run({ interceptors: [gate, recorder('behind', seen)] }, async (edge) => {
      const answered = classify(edge);
      await gate.arrived();
      assert.equal(seen.length, 0);
      gate.pass({ onEnd: ({ code }) => seen.push(`gate out ${code}`) });
      assert.equal((await answered).error, null);
      await edge.handledCall();
      assert.deepEqual(seen, ['behind in', 'behind out OK', 'gate out OK']);
      const refused = classify(edge);
      await gate.arrived();
      gate.refuse(refusal());
      assert.equal((await refused).error?.code, status.RESOURCE_EXHAUSTED);
    });
  });

  it('hear at once of a call that ended while they took their time; nothing answers it', async () => {
    const gate = new Gate();
    const seen: string[] = [];
    let asked = 0;
    const parts = {
      classify: (item: Parameters<typeof answerTo>[0]) => {
        asked++;
        return answerTo(item);
      },
      interceptors: [gate, recorder('behind', seen)],
      options: { defaultDeadlineMs: 60 },
    };
    await Edge.run(parts, async (edge) => {
      const { error } = await classify(edge, 'a');
      assert.equal(error?.code, status.DEADLINE_EXCEEDED);
      await edge.handledCall();
      const ended = new Promise<string>((resolve) => {
        gate.pass({ onEnd: ({ code }) => resolve(code) });
      });
      assert.equal(await ended, 'DEADLINE_EXCEEDED');
    });
    assert.deepEqual([asked, seen], [0, []]);
  });

  it('do not hold up the end of the server: a call on its way is told to go elsewhere', async () => {
    const gate = new Gate();
    await Edge.run({ interceptors: [gate] }, async (edge) => {
      const answered = classify(edge);
      await gate.arrived();
      await edge.server.drain(AbortSignal.timeout(timeout));
      assert.equal((await answered).error?.code, status.UNAVAILABLE);
      gate.pass();
    });
  });

  it('say who calls: one caller on two connections is one flow, and two on one are two', async () => {
    const names = new Map<string, Identity>();
    const identity: Interceptor = {
      metadataKeys: ['x-api-key'],
      intercept: (call: CallHead) => {
        const key = call.metadata('x-api-key') ?? '';
        const caller =
          names.get(key) ??
          new Identity({
            name: key,
            scopes: [],
            models: undefined,
            cache: undefined,
            limits: undefined,
            flow: new WeightedFlow(1),
          });
        names.set(key, caller);
        call.identify(caller);
        return undefined;
      },
    };
    const flows: unknown[] = [];
    const parts = {
      classify: (item: Parameters<typeof answerTo>[0], claim: { readonly flow: object | undefined }) => {
        flows.push(claim.flow);
        return answerTo(item);
      },
      interceptors: [identity],
    };
    await Edge.run(parts, async (edge) => {
      const metadata = (key: string) => {
        const made = new Metadata();
        made.set('x-api-key', key);
        return made;
      };
      for (const key of ['one', 'two', 'one']) await classify(edge, 'a', metadata(key));
    });
    assert.deepEqual(
      flows,
      ['one', 'two', 'one'].map((key) => names.get(key)?.flow),
    );
    assert.equal(flows[0], flows[2]);
    assert.notEqual(flows[0], flows[1]);
  });
});
