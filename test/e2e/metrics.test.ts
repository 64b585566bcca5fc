import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Service } from '../support/service.js';
import { until } from '../support/until.js';

/** Counters and histograms that must be there, and zero, before anybody has called. */
const zeroFromTheStart: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ...['success', 'cache_hit', 'error'].map(
    (status) => ['inference_requests_total', { model: 'topics', status }] as const,
  ),
  ['inference_latency_seconds_count', { model: 'topics' }],
  ...[
    'Classify',
    'BatchClassify',
    'ClassifyStream',
    'ListModels',
    'GetModel',
    'GetModelStatistics',
    'Check',
    'List',
    'Watch',
  ].flatMap((method) => [
    ['grpc_server_started_total', { grpc_method: method }] as const,
    ['grpc_server_handled_total', { grpc_method: method, grpc_code: 'OK' }] as const,
    ['grpc_server_handled_total', { grpc_method: method, grpc_code: 'RESOURCE_EXHAUSTED' }] as const,
    ['grpc_server_handling_seconds_count', { grpc_method: method }] as const,
  ]),
  ...['tokenize', 'queue', 'inference', 'postprocess'].map(
    (stage) => ['verdict_stage_duration_seconds_count', { model: 'topics', stage }] as const,
  ),
  ['verdict_batch_items_count', { model: 'topics' }],
  ['verdict_batch_tokens_count', { model: 'topics' }],
  ['verdict_batch_padded_tokens_count', { model: 'topics' }],
  ...['drained', 'budget', 'items', 'run_time', 'bisected'].map(
    (reason) => ['verdict_batches_total', { model: 'topics', reason }] as const,
  ),
  ['verdict_queue_items', { model: 'topics' }],
  ['verdict_queue_tokens', { model: 'topics' }],
  ...['hit', 'miss'].flatMap((outcome) => [
    ['verdict_cache_requests_total', { tier: 'lru', outcome }] as const,
    ['verdict_cache_requests_total', { tier: 'redis', outcome }] as const,
  ]),
  ['verdict_cache_entries', {}],
  ['verdict_cache_bytes', {}],
  ['verdict_cache_joins_total', {}],
  ['verdict_redis_configured', {}],
  ['verdict_redis_up', {}],
  ['verdict_redis_breaker_state', { state: 'open' }],
  ...['queue_full', 'deadline', 'expired', 'abandoned', 'no_instance'].map(
    (reason) => ['verdict_shed_total', { model: 'topics', reason }] as const,
  ),
  ['verdict_streams_in_flight', {}],
  ['verdict_utilization_ratio', { model: 'topics' }],
  ['verdict_utilization', { model: 'topics' }],
  ['verdict_instances_lost_total', { model: 'topics' }],
];

/** Gauges that say something from the start. */
const saidFromTheStart: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['verdict_model_info', { model: 'topics', version: '1', precision: 'int8', device: 'cpu' }],
  ['verdict_model_state', { model: 'topics', state: 'serving' }],
  ['verdict_instances_ready', { model: 'topics' }],
  ['verdict_redis_breaker_state', { state: 'closed' }],
  ['nodejs_eventloop_lag_p99_seconds', {}],
  ['process_resident_memory_bytes', {}],
  ['process_cpu_seconds_total', {}],
];

describe('/metrics', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics', 'poison']);
  });

  after(() => service.stop());

  async function page(): Promise<string[]> {
    return (await (await service.page('/metrics')).text()).split('\n');
  }

  /** The values of the series of that name that carry the labels. */
  function valuesOf(
    lines: readonly string[],
    name: string,
    labels: Readonly<Record<string, string>>,
  ): number[] {
    return lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)))
      .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
  }

  it('has every series from the start, at zero', async () => {
    const lines = await page();
    for (const [name, labels] of zeroFromTheStart) {
      const values = valuesOf(lines, name, labels);
      const series = `${name} ${JSON.stringify(labels)}`;
      assert.ok(values.length > 0, `${series} is there`);
      assert.deepEqual([...new Set(values)], [0], `${series} is zero`);
    }
    for (const [name, labels] of saidFromTheStart) {
      const [value] = valuesOf(lines, name, labels);
      assert.ok(value !== undefined && value > 0, `${name} says something`);
    }
  });

  it('counts calls, inputs, batches and look-ups as they come', async () => {
    const { client } = service;
    await client.classify('match');
    await client.classify('match');
    await client.classifyBatch(['match', 'soup', '']);
    for await (const result of client.classifyStream(['soup', 'parliament'])) assert.ok(result.ok);
    await assert.rejects(client.classify('match', { model: 'nobody' }));
    await assert.rejects(client.classify('poison', { model: 'poison' }));
    // The end of a call is counted when its status has left, which the caller may see first.
    await until('all calls have been counted', async () => {
      const lines = await page();
      return valuesOf(lines, 'grpc_server_handled_total', {}).reduce((sum, value) => sum + value, 0) === 6;
    });
    const lines = await page();
    for (const [name, labels, expected] of [
      ['grpc_server_started_total', { grpc_method: 'Classify' }, 4],
      ['grpc_server_handled_total', { grpc_method: 'Classify', grpc_code: 'OK' }, 2],
      ['grpc_server_handled_total', { grpc_method: 'Classify', grpc_code: 'NOT_FOUND' }, 1],
      ['grpc_server_handled_total', { grpc_method: 'Classify', grpc_code: 'INTERNAL' }, 1],
      ['grpc_server_handled_total', { grpc_method: 'BatchClassify', grpc_code: 'OK' }, 1],
      ['grpc_server_handled_total', { grpc_method: 'ClassifyStream', grpc_code: 'OK' }, 1],
      ['grpc_server_handling_seconds_count', { grpc_method: 'Classify' }, 4],
      ['inference_requests_total', { model: 'topics', status: 'success' }, 3],
      ['inference_requests_total', { model: 'topics', status: 'cache_hit' }, 3],
      ['inference_requests_total', { model: 'poison', status: 'error' }, 1],
      ['inference_requests_total', { model: 'unknown', status: 'error' }, 1],
      ['inference_latency_seconds_count', { model: 'topics' }, 6],
      ['verdict_stage_duration_seconds_count', { model: 'topics', stage: 'inference' }, 3],
      ['verdict_stage_duration_seconds_count', { model: 'topics', stage: 'postprocess' }, 6],
      ['verdict_batch_items_sum', { model: 'topics' }, 3],
      ['verdict_cache_requests_total', { tier: 'lru', outcome: 'hit' }, 3],
      ['verdict_cache_requests_total', { tier: 'lru', outcome: 'miss' }, 4],
      ['verdict_cache_entries', {}, 3],
    ] as const) {
      assert.deepEqual(valuesOf(lines, name, labels), [expected], `${name} ${JSON.stringify(labels)}`);
    }
    const batches = valuesOf(lines, 'verdict_batches_total', { model: 'topics' });
    assert.deepEqual(
      [batches.reduce((sum, value) => sum + value, 0)],
      valuesOf(lines, 'verdict_batch_items_count', { model: 'topics' }),
    );
  });

  it('makes no series of names that callers make up', async () => {
    // The first of them makes the series that counts for all of them.
    await assert.rejects(service.client.classify('match', { model: 'made-up-0' }));
    const before = ownSeries(await page());
    for (const model of ['made-up-1', 'made-up-2']) {
      await assert.rejects(service.client.classify('match', { model }));
      await assert.rejects(service.client.getModel(model));
      assert.equal(await service.client.health(`models/${model}`), 'service_unknown');
    }
    const lines = await page();
    assert.deepEqual(ownSeries(lines), before);
    assert.ok(!lines.some((line) => line.includes('made-up')));
  });

  it('is in the format of Prometheus, with help and type for every name', async () => {
    const response = await service.page('/metrics');
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    const declared = new Set(
      lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2]),
    );
    for (const line of lines.filter((candidate) => !candidate.startsWith('#'))) {
      const [name = ''] = line.split(/[{ ]/);
      assert.ok(declared.has(name) || declared.has(name.replace(/_(bucket|sum|count)$/, '')), line);
      assert.ok(!Number.isNaN(Number(line.slice(line.lastIndexOf(' ') + 1))) || line.endsWith(' Nan'), line);
    }
  });
});

/** Without those of the Node.js process itself, which come and go with its collections, timers and sockets. */
function ownSeries(lines: readonly string[]): string[] {
  return lines
    .filter((line) => !/^(nodejs|process)_/.test(line))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
}
