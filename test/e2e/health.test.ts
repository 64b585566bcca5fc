import assert from 'node:assert/strict';
import { on } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../generated/grpc/health/v1/health.js';
import { Service } from '../support/service.js';
import { unaryOutcome } from '../support/unary-outcome.js';

const names = ['', 'models/pairs', 'models/topics', 'verdict.v1.ClassifierService'];

describe('grpc.health.v1 and the pages for probes', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics', 'pairs']);
  });

  after(() => service.stop());

  it('Check knows the server, the service and every model', async () => {
    for (const name of names) {
      const { response } = await unaryOutcome(service.health.check.bind(service.health), { service: name });
      assert.equal(response?.status, ServingStatus.SERVING);
    }
  });

  it('Check of any other name is NOT_FOUND', async () => {
    for (const name of ['models/nobody', 'models/', 'verdict.v1.ModelServices', 'topics']) {
      const { error } = await unaryOutcome(service.health.check.bind(service.health), { service: name });
      assert.equal(error?.code, status.NOT_FOUND);
    }
    assert.equal(await service.client.health('models/nobody'), 'service_unknown');
  });

  it('List has them all', async () => {
    const { response } = await unaryOutcome(service.health.list.bind(service.health), {});
    const statuses = new Map(Object.entries(response?.statuses ?? {}));
    assert.deepEqual([...statuses.keys()].sort(), names);
    for (const { status: value } of statuses.values()) assert.equal(value, ServingStatus.SERVING);
  });

  it('Watch tells the status now and stays open', async () => {
    for (const [name, expected] of [
      ['', ServingStatus.SERVING],
      ['models/topics', ServingStatus.SERVING],
      ['models/nobody', ServingStatus.SERVICE_UNKNOWN],
    ] as const) {
      const watch = service.health.watch({ service: name });
      watch.on('error', () => undefined);
      for await (const [message] of on(watch, 'data')) {
        assert.equal((message as HealthCheckResponse).status, expected);
        break;
      }
      watch.cancel();
    }
  });

  it('/livez and /readyz say 200, any other page 404', async () => {
    const live = await service.page('/livez');
    assert.deepEqual([live.status, await live.text()], [200, 'alive\n']);
    const ready = await service.page('/readyz');
    assert.deepEqual([ready.status, await ready.json()], [200, { ready: true, reasons: [] }]);
    assert.equal((await service.page('/nowhere')).status, 404);
  });
});

describe('a server that was told to stop', () => {
  it('says so at once on every channel, and still takes calls while balancers turn away', async () => {
    const service = await Service.start(['topics'], { VERDICT_DRAIN_GRACE_MS: '8000' });
    try {
      const watch = service.health.watch({ service: '' });
      const ended = new Promise<number>((resolve) => {
        watch.on('status', ({ code }) => resolve(code));
      });
      watch.on('error', () => undefined);
      const told: ServingStatus[] = [];
      const changes = new Promise<void>((resolve) => {
        watch.on('data', ({ status: value }: HealthCheckResponse) => {
          told.push(value);
          if (told.length === 1) service.server.kill('SIGTERM');
          else resolve();
        });
      });
      await changes;
      assert.deepEqual(told, [ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
      assert.equal(await service.client.health(), 'not_serving');
      assert.equal(await service.client.health('models/topics'), 'not_serving');
      const ready = await service.page('/readyz');
      assert.deepEqual([ready.status, (await service.page('/livez')).status], [503, 200]);
      assert.deepEqual(await ready.json(), { ready: false, reasons: ['topics/1 is draining'] });
      assert.equal((await service.client.classify('match')).label, 'sports');
      assert.equal(await ended, status.UNAVAILABLE);
      assert.deepEqual(await service.server.exit, { code: 0, signal: null });
    } finally {
      await service.stop();
    }
  });
});
