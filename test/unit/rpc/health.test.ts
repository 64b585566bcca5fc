import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientReadableStream, type StatusObject, status } from '@grpc/grpc-js';
import {
  HealthCheckResponse,
  type HealthListResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../generated/grpc/health/v1/health.js';
import { frame } from '../../support/wire-frames.js';
import { detailsOf } from './details.js';
import { Edge, modelView, TestCatalog, timeout } from './edge.js';
import { RawCall } from './raw-call.js';

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;
const service = 'verdict.v1.ClassifierService';

/** The status of a name, or the code that the call failed with. */
function check(edge: Edge, name: string): Promise<unknown> {
  return new Promise((resolve) => {
    edge.health.check({ service: name }, (error, response) =>
      resolve(error === null ? response.status : `${error.code} ${detailsOf(error).reason}`),
    );
  });
}

function list(edge: Edge): Promise<Record<string, number>> {
  return new Promise((resolve, reject) => {
    edge.health.list({}, (error, response: HealthListResponse) => {
      if (error !== null) reject(error);
      else
        resolve(
          Object.fromEntries(Object.entries(response.statuses).map(([name, { status: s }]) => [name, s])),
        );
    });
  });
}

/** A Watch call, whose statuses are taken one at a time. */
class Watch {
  readonly call: ClientReadableStream<HealthCheckResponse>;
  readonly ended: Promise<StatusObject>;
  readonly #statuses: AsyncIterator<HealthCheckResponse>;

  constructor(edge: Edge, name: string) {
    this.call = edge.health.watch({ service: name });
    this.call.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.call.on('status', resolve);
    });
    this.#statuses = this.call[Symbol.asyncIterator]();
  }

  async next(): Promise<number> {
    const { value } = await this.#statuses.next();
    return value.status;
  }
}

test('the server serves when every model does; each model has a status of its own', { timeout }, async () => {
  const catalog = new TestCatalog([modelView('intent', ''), modelView('sentiment', '2')]);
  await Edge.run({ catalog }, async (edge) => {
    assert.equal(await check(edge, ''), NOT_SERVING);
    assert.equal(await check(edge, service), NOT_SERVING);
    assert.equal(await check(edge, 'models/intent'), NOT_SERVING);
    assert.equal(await check(edge, 'models/sentiment'), SERVING);
    catalog.change(modelView('intent', '1'), modelView('sentiment', '2'));
    assert.deepEqual(await list(edge), {
      '': SERVING,
      [service]: SERVING,
      'models/intent': SERVING,
      'models/sentiment': SERVING,
    });
    catalog.change();
    assert.deepEqual(await list(edge), { '': NOT_SERVING, [service]: NOT_SERVING });
  });
});

test('Check of a name that does not exist is NOT_FOUND', { timeout }, async () => {
  await Edge.run({}, async (edge) => {
    for (const name of ['models/nope', 'sentiment', 'verdict.v1.Nope']) {
      assert.equal(await check(edge, name), `${status.NOT_FOUND} UNKNOWN_SERVICE`);
    }
  });
});

test('Watch tells the status now and every change, and nothing when nothing changed', {
  timeout,
}, async () => {
  const catalog = new TestCatalog();
  await Edge.run({ catalog }, async (edge) => {
    const watch = new Watch(edge, 'models/sentiment');
    assert.equal(await watch.next(), SERVING);
    catalog.change(modelView('sentiment', '2'));
    catalog.change(modelView('sentiment', ''));
    assert.equal(await watch.next(), NOT_SERVING);
    catalog.change();
    assert.equal(await watch.next(), SERVICE_UNKNOWN);
    catalog.change(modelView('sentiment', '1'));
    assert.equal(await watch.next(), SERVING);
    watch.call.cancel();
    assert.equal((await edge.handledCall()).sent, 4);
  });
});

test('a watcher that does not read is told the latest status, not every one', { timeout }, async () => {
  const catalog = new TestCatalog();
  await Edge.run({ catalog }, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      // A window of one byte: the first status cannot leave whole.
      await new Promise<void>((resolve) => session.settings({ initialWindowSize: 1 }, () => resolve()));
      const call = new RawCall(session, '/grpc.health.v1.Health/Watch');
      call.stream.end(frame(Buffer.alloc(0)));
      await call.headers;
      for (let n = 0; n < 500; n++) catalog.change(modelView('sentiment', n % 2 === 0 ? '' : '1'));
      catalog.change(modelView('sentiment', ''));
      await new Promise<void>((resolve) => session.settings({ initialWindowSize: 65_535 }, () => resolve()));
      const frames: number[] = [];
      let bytes = Buffer.alloc(0);
      for await (const chunk of call.stream) {
        bytes = Buffer.concat([bytes, chunk as Buffer]);
        while (bytes.length >= 7) {
          frames.push(HealthCheckResponse.decode(bytes.subarray(5, 7)).status);
          bytes = bytes.subarray(7);
        }
        if (frames.length === 2) break;
      }
      assert.deepEqual(frames, [SERVING, NOT_SERVING]);
    });
    assert.equal((await edge.handledCall()).sent, 2);
  });
});

test('there is room for a limited number of watchers, and again when one leaves', { timeout }, async () => {
  await Edge.run({ options: { maxWatchers: 1 } }, async (edge) => {
    const first = new Watch(edge, '');
    await first.next();
    const ended = await new Watch(edge, '').ended;
    assert.equal(ended.code, status.RESOURCE_EXHAUSTED);
    assert.equal(detailsOf(Object.assign(new Error(), ended)).reason, 'TOO_MANY_WATCHERS');
    first.call.cancel();
    await edge.handledCall(2);
    assert.equal(await new Watch(edge, '').next(), SERVING);
  });
});

test('from the beginning of the drain nothing serves, while calls are still answered', {
  timeout,
}, async () => {
  const catalog = new TestCatalog();
  await Edge.run({ catalog }, async (edge) => {
    const watch = new Watch(edge, '');
    assert.equal(await watch.next(), SERVING);
    assert.equal(catalog.listeners, 1);
    edge.server.beginDrain();
    assert.equal(await watch.next(), NOT_SERVING);
    assert.equal(await check(edge, 'models/sentiment'), NOT_SERVING);
    assert.equal(await check(edge, service), NOT_SERVING);
    assert.equal(catalog.listeners, 0);
    const answered = await new Promise((resolve) => {
      const input = { $case: 'text', value: 'x' } as const;
      edge.classifier.classify({ model: '', version: '', input, options: undefined }, (error) =>
        resolve(error),
      );
    });
    assert.equal(answered, null);
  });
});
