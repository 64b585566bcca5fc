import assert from 'node:assert/strict';
import type { Service } from '../support/service.js';
import { until } from '../support/until.js';
import type { Target } from './attacks.js';
import { HealthyCaller } from './healthy-caller.js';

/** A call beside the attacks takes milliseconds; this is what it is promised. */
const deadlineMs = 3_000;

/** Beside the attack, a healthy caller on the same port gets every answer in time. @param port where both call */
export async function withstands(
  service: Service,
  port: number,
  attack: (target: Target) => Promise<void>,
): Promise<void> {
  const { server } = service;
  const healthy = new HealthyCaller(`127.0.0.1:${port}`, { everyMs: 20, timeoutMs: deadlineMs });
  try {
    await attack({ port, adminUrl: server.adminUrl, metric: (metric) => server.metric(metric) });
    assert.equal((await service.page('/readyz')).status, 200);
  } finally {
    await healthy.stop();
  }
  assert.deepEqual(healthy.failures, []);
  assert.ok(healthy.answered > 0);
}

/** Nothing is held for callers any more, and they have left. @param timeoutMs of each */
export async function atRest({ server }: Pick<Service, 'server'>, timeoutMs?: number): Promise<void> {
  const held = async () => server.metric('verdict_held_bytes');
  await until('nothing is held any more', async () => (await held()) === 0, timeoutMs);
  const connections = async () => server.metric('verdict_connections');
  await until('callers have left', async () => (await connections()) <= 1, timeoutMs);
}
