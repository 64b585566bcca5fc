import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { AliasMetrics } from '../../../src/telemetry/alias-metrics.js';
import type { ClassifiedInput } from '../../../src/telemetry/input-status.js';

const input: ClassifiedInput = {
  ...{ model: 'tone', version: '2', alias: 'champion', outcome: 'miss', tokens: 7, totalMs: 40 },
  ...{ timings: undefined, postprocessMs: 0.5, serviceClass: 'bulk', trace: undefined },
};

describe('inputs that come by an alias', () => {
  let registry: Registry;
  let metrics: AliasMetrics;

  beforeEach(() => {
    registry = new Registry();
    metrics = new AliasMetrics(registry);
  });

  const lines = async () =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('verdict_alias_inputs_total'))
      .map((line) => line.slice('verdict_alias_inputs_total'.length));

  it('count by how they ended', async () => {
    metrics.set([{ model: 'tone', alias: 'champion' }]);
    for (const outcome of ['miss', 'coalesced', 'lru', 'error', 'bypassed'] as const)
      metrics.onInput({ ...input, outcome });
    metrics.onInput({ ...input, alias: '' });
    assert.deepEqual(await lines(), [
      '{model="tone",alias="champion",status="success"} 3',
      '{model="tone",alias="champion",status="cache_hit"} 1',
      '{model="tone",alias="champion",status="error"} 1',
    ]);
  });

  it('have series for aliases that there are alone: those of others end, and those that stay go on', async () => {
    metrics.set([
      { model: 'tone', alias: 'champion' },
      { model: 'tone', alias: 'other' },
      { model: 'mood', alias: 'champion' },
    ]);
    metrics.onInput(input);
    metrics.set([{ model: 'tone', alias: 'champion' }]);
    for (const alias of ['other', 'made-up', '__proto__']) metrics.onInput({ ...input, alias });
    metrics.onInput({ ...input, model: 'mood' });
    assert.deepEqual(await lines(), [
      '{model="tone",alias="champion",status="success"} 1',
      '{model="tone",alias="champion",status="cache_hit"} 0',
      '{model="tone",alias="champion",status="error"} 0',
    ]);
    metrics.set([]);
    metrics.onInput(input);
    assert.deepEqual(await lines(), []);
  });
});
