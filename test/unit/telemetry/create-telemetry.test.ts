import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ModelReload, ModelVersionView, ReloadOutcome } from '../../../src/models/types.js';
import { createTelemetry } from '../../../src/telemetry/create-telemetry.js';
import type { LogFields, Telemetry } from '../../../src/telemetry/types.js';
import { assertValues } from './assert-values.js';

const service = 'verdict.v1.ClassifierService';
const version: ModelVersionView = {
  ...{ version: '3', state: 'serving', stateReason: '', labels: ['NO', 'YES'], maxTokens: 512 },
  ...{
    problemType: 'single_label_classification',
    batchBudgetTokens: 2048,
    precision: 'int8',
    device: 'cpu',
  },
  ...{ batching: 'padded', appliedActivation: undefined },
  ...{ digest: 'sha256:00', defaultTruncation: 'end', readyInstances: 1, instances: 2, costSamples: [] },
  cost: { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0 },
  memoryBytes: 0,
};

const sentiment = { model: 'sentiment', version: '3' };
let telemetry: Telemetry;
let now: number;
let log: { level: string; fields: LogFields; message: string }[];
const at = (level: string) => (fields: LogFields, message: string) => {
  log.push({ level, fields, message });
};

beforeEach(() => {
  now = 0;
  log = [];
  telemetry = createTelemetry({
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), call() {} },
    droppedLines: () => 5,
    version: '1.2.3',
    redisConfigured: true,
    latencyObjectiveMs: 50,
    eventLoopResolutionMs: 10,
    now: () => now,
  });
  for (const interceptor of telemetry.interceptors) interceptor.prepare?.([{ service, method: 'Classify' }]);
  telemetry.version(sentiment);
});
afterEach(() => telemetry.close());

describe('at the start', () => {
  it('every series of a known model and method is there, at zero', async () => {
    const { body, contentType } = await telemetry.metrics();
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    for (const series of [
      'inference_requests_total{model="sentiment",version="3",status="success"}',
      'inference_requests_total{model="sentiment",version="3",status="cache_hit"}',
      'inference_requests_total{model="sentiment",version="3",status="error"}',
      'inference_latency_seconds_count{model="sentiment",version="3"}',
      `grpc_server_started_total{grpc_service="${service}",grpc_method="Classify"}`,
      `grpc_server_handled_total{grpc_service="${service}",grpc_method="Classify",grpc_code="OK"}`,
      `grpc_server_handled_total{grpc_service="${service}",grpc_method="Classify",grpc_code="UNAVAILABLE"}`,
      `grpc_server_handling_seconds_count{grpc_service="${service}",grpc_method="Classify"}`,
      ...['tokenize', 'queue', 'inference', 'postprocess'].map(
        (stage) => `verdict_stage_duration_seconds_count{model="sentiment",version="3",stage="${stage}"}`,
      ),
      'verdict_batch_items_count{model="sentiment",version="3"}',
      'verdict_batch_tokens_count{model="sentiment",version="3"}',
      'verdict_batch_padded_tokens_count{model="sentiment",version="3"}',
      'verdict_batches_total{model="sentiment",version="3",reason="budget"}',
      'verdict_queue_items{model="sentiment",version="3",class="bulk"}',
      'verdict_queue_tokens{model="sentiment",version="3",class="bulk"}',
      'verdict_shed_total{model="sentiment",version="3",class="bulk",reason="queue_full"}',
      'verdict_cache_requests_total{tier="redis",outcome="timeout"}',
      'verdict_cache_requests_total{tier="redis",outcome="invalid"}',
      'verdict_cache_invalid_entries_total{origin="redis",reason="length"}',
      'verdict_cache_invalid_entries_total{origin="computed",reason="logits"}',
      'verdict_cache_joins_total',
      'verdict_cache_bytes',
      'verdict_redis_up',
      'verdict_redis_breaker_state{state="open"}',
      'verdict_streams_in_flight',
      'verdict_connections_opened_total',
      'verdict_connections_closed_total{reason="unanswered"}',
      'verdict_protocol_errors_total{kind="flood"}',
      'verdict_stream_resets_total{by="server",code="enhance_your_calm"}',
      'verdict_calls_refused_total{reason="message_too_large"}',
      'verdict_utilization_ratio{model="sentiment",version="3"}',
      'verdict_utilization{model="sentiment",version="3"}',
      'verdict_instance_restarts_total{model="sentiment",version="3"}',
    ]) {
      assert.ok(body.includes(`\n${series} 0\n`), series);
    }
    assert.ok(body.includes('verdict_build_info{version="1.2.3",'));
    assert.match(body, /^nodejs_eventloop_lag_p99_seconds /m);
    assert.match(body, /^process_resident_memory_bytes /m);
  });

  it('no histogram has more than 15 bounds', async () => {
    const { body } = await telemetry.metrics();
    const counts = new Map<string, number>();
    for (const line of body.split('\n').filter((one) => /_bucket\{/.test(one) && !one.includes('+Inf'))) {
      const key = line.replace(/le="[^"]*",?/, '').replace(/ \d+$/, '');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    assert.ok(counts.size > 0);
    for (const [key, bounds] of counts) assert.ok(bounds <= 15, key);
  });
});

describe('the parts', () => {
  it('report batches, queue, shed and retried inputs by model', async () => {
    const { batcher } = telemetry.version(sentiment);
    batcher.onBatch?.({ items: 3, tokens: 60, paddedTokens: 75, longest: 25, reason: 'drained', runMs: 8 });
    batcher.onQueue?.({
      items: 7,
      tokens: 170,
      interactive: { items: 2, tokens: 50 },
      bulk: { items: 5, tokens: 120 },
    });
    batcher.onShed?.('deadline', 'interactive');
    batcher.onRetry?.('bisect');
    await assertValues(telemetry, {
      'verdict_batch_items_bucket{le="2",model="sentiment",version="3"}': 0,
      'verdict_batch_items_bucket{le="4",model="sentiment",version="3"}': 1,
      'verdict_batch_tokens_sum{model="sentiment",version="3"}': 60,
      'verdict_batch_padded_tokens_sum{model="sentiment",version="3"}': 75,
      'verdict_batch_run_seconds_sum{model="sentiment",version="3"}': 0.008,
      'verdict_batches_total{model="sentiment",version="3",reason="drained"}': 1,
      'verdict_queue_items{model="sentiment",version="3",class="interactive"}': 2,
      'verdict_queue_items{model="sentiment",version="3",class="bulk"}': 5,
      'verdict_queue_tokens{model="sentiment",version="3",class="bulk"}': 120,
      'verdict_shed_total{model="sentiment",version="3",class="interactive",reason="deadline"}': 1,
      'verdict_shed_total{model="sentiment",version="3",class="bulk",reason="deadline"}': 0,
      'verdict_batch_retries_total{model="sentiment",version="3",reason="bisect"}': 1,
    });
  });

  it('report two versions of a model apart, and forget one that is gone', async () => {
    const others = { model: 'sentiment', version: '4' };
    const [third, fourth] = [sentiment, others].map((of) => telemetry.version(of));
    assert.equal(telemetry.version({ ...sentiment }), third, 'one version, one object');
    const depth = (items: number) => ({
      items,
      tokens: items,
      interactive: { items, tokens: items },
      bulk: { items: 0, tokens: 0 },
    });
    third?.batcher.onQueue?.(depth(2));
    fourth?.batcher.onQueue?.(depth(7));
    for (const [of, busy] of [
      [third, 1_000],
      [fourth, 3_000],
    ] as const) {
      of?.watchBusy({ busyMs: () => busy, instances: () => 1, predictedWaitMs: () => 0 });
    }
    const queued = (version: string) =>
      `verdict_queue_items{model="sentiment",version="${version}",class="interactive"}`;
    const busy = (version: string) =>
      `verdict_session_busy_seconds_total{model="sentiment",version="${version}"}`;
    await assertValues(telemetry, { [queued('3')]: 2, [queued('4')]: 7, [busy('3')]: 1, [busy('4')]: 3 });
    third?.close();
    const { body } = await telemetry.metrics();
    assert.doesNotMatch(body, /version="3"/);
    await assertValues(telemetry, { [queued('4')]: 7, [busy('4')]: 3 });
    telemetry.version(sentiment);
    await assertValues(telemetry, { [queued('3')]: 0, [busy('3')]: 0 });
  });

  it('report entries that are not believed by reason, with one log line for many', async () => {
    const lines = () => log.filter(({ message }) => message === 'invalid cache entry');
    telemetry.cache.onInvalid?.('redis', 'mac');
    for (let entry = 0; entry < 100; entry += 1) telemetry.cache.onInvalid?.('redis', 'length');
    telemetry.cache.onInvalid?.('computed', 'logits');
    assert.deepEqual(lines(), [
      {
        level: 'warn',
        fields: { origin: 'redis', reason: 'mac', suppressed: 0 },
        message: 'invalid cache entry',
      },
    ]);
    now += 10_000;
    telemetry.cache.onInvalid?.('redis', 'tokens');
    assert.equal(lines().at(-1)?.fields.suppressed, 101);
    const reasons = 'verdict_cache_invalid_entries_total';
    await assertValues(telemetry, {
      [`${reasons}{origin="redis",reason="mac"}`]: 1,
      [`${reasons}{origin="redis",reason="length"}`]: 100,
      [`${reasons}{origin="redis",reason="tokens"}`]: 1,
      [`${reasons}{origin="computed",reason="logits"}`]: 1,
    });
  });

  it('report the cache by tier', async () => {
    telemetry.cache.onLookup?.('lru', 'miss');
    telemetry.cache.onLookup?.('redis', 'hit');
    telemetry.cache.onWrite?.('redis', 'dropped');
    telemetry.cache.onJoin?.();
    telemetry.cache.onSize?.({ entries: 2, bytes: 300 });
    telemetry.rpc.onStreamsInFlight?.(4);
    await assertValues(telemetry, {
      'verdict_cache_requests_total{tier="lru",outcome="miss"}': 1,
      'verdict_cache_requests_total{tier="redis",outcome="hit"}': 1,
      'verdict_cache_writes_total{tier="redis",outcome="dropped"}': 1,
      verdict_cache_joins_total: 1,
      verdict_cache_entries: 2,
      verdict_cache_bytes: 300,
      verdict_streams_in_flight: 4,
      verdict_log_lines_dropped_total: 5,
    });
  });

  it('report connections, how they end, resets and calls that are refused', async () => {
    const { rpc } = telemetry;
    for (const _ of [1, 2, 3]) rpc.onConnectionOpened?.();
    for (const end of ['client', 'protocol'] as const) rpc.onConnectionClosed?.(end);
    rpc.onProtocolBreach?.('not_http2');
    rpc.onStreamReset?.('client', 'cancel');
    rpc.onStreamReset?.('server', 'cancel');
    rpc.onStreamReset?.('client', 'cancel');
    rpc.onCallRefused?.('stream_idle');
    await assertValues(telemetry, {
      verdict_connections_opened_total: 3,
      'verdict_connections_closed_total{reason="client"}': 1,
      'verdict_connections_closed_total{reason="protocol"}': 1,
      'verdict_connections_closed_total{reason="age"}': 0,
      'verdict_protocol_errors_total{kind="not_http2"}': 1,
      'verdict_stream_resets_total{by="client",code="cancel"}': 2,
      'verdict_stream_resets_total{by="server",code="cancel"}': 1,
      'verdict_calls_refused_total{reason="stream_idle"}': 1,
    });
  });

  it('report sessions that come and go', async () => {
    const { runtime } = telemetry.version(sentiment);
    runtime.onInstanceReady?.({ pid: 12, device: 'cpu', loadMs: 80.4 });
    runtime.onInstanceLost?.({ pid: 12, reason: 'killed by SIGKILL' });
    runtime.onRestartScheduled?.({ attempt: 1, delayMs: 100 });
    for (const line of ['first', 'more']) runtime.onInstanceOutput?.({ pid: 12, line });
    await assertValues(telemetry, {
      'verdict_instances_lost_total{model="sentiment",version="3"}': 1,
      'verdict_instance_restarts_total{model="sentiment",version="3"}': 1,
    });
    assert.deepEqual(
      log.map(({ level, fields }) => [level, fields.model]),
      [
        ['info', 'sentiment'],
        ['error', 'sentiment'],
        ['warn', 'sentiment'],
        ['warn', 'sentiment'],
      ],
    );
    assert.equal(log.at(-1)?.fields.line, 'first', 'one line a second is enough of what a session prints');
  });

  it('report versions, their states and sessions, and how busy these are', async () => {
    telemetry.watchModels(() => [
      {
        ...{
          name: 'sentiment',
          isDefault: true,
          isPinned: true,
          loaded: true,
          servingVersion: '3',
          versions: [version],
        },
        ...{ traffic: [], aliases: [] },
      },
    ]);
    let busyMs = 100;
    telemetry
      .version(sentiment)
      .watchBusy({ busyMs: () => busyMs, instances: () => 2, predictedWaitMs: () => 30 });
    now = 1000;
    busyMs = 600;
    const labels = 'model="sentiment",version="3"';
    await assertValues(telemetry, {
      [`verdict_model_info{${labels},precision="int8",device="cpu",digest="sha256:00",batching="padded"}`]: 1,
      [`verdict_model_state{${labels},state="serving"}`]: 1,
      [`verdict_model_state{${labels},state="loading"}`]: 0,
      [`verdict_instances_ready{${labels}}`]: 1,
      [`verdict_instances_wanted{${labels}}`]: 2,
      [`verdict_batch_budget_tokens{${labels}}`]: 2048,
      'verdict_utilization_ratio{model="sentiment",version="3"}': 0.25,
      'verdict_utilization{model="sentiment",version="3"}': 0.6,
      'verdict_session_busy_seconds_total{model="sentiment",version="3"}': 0.6,
    });
  });

  it('report Redis, each change in one line and errors in one line per 10 s', async () => {
    telemetry.redis.onConnection?.(true);
    telemetry.redis.onConnection?.(true);
    telemetry.redis.onBreaker?.('open');
    for (now of [0, 1, 9_999, 10_000]) telemetry.redis.onError?.('timed out');
    await assertValues(telemetry, {
      verdict_redis_up: 1,
      verdict_redis_configured: 1,
      'verdict_redis_breaker_state{state="open"}': 1,
      'verdict_redis_breaker_state{state="closed"}': 0,
      verdict_redis_errors_total: 4,
    });
    const errors = log.filter(({ message }) => message === 'Redis error');
    assert.deepEqual(
      errors.map(({ fields }) => fields.suppressed),
      [0, 2],
    );
    assert.equal(log.length, 2 + errors.length);
  });
});

describe('the GPUs', () => {
  it('show each figure that they tell, by index and uuid, and have no series before', async () => {
    assert.doesNotMatch((await telemetry.metrics()).body, /^verdict_gpu_/m);
    telemetry.watchGpus(() => [
      { index: 0, uuid: 'GPU-a', memoryUsedBytes: 512, memoryTotalBytes: 1024, utilization: 0.5 },
      { index: 1, uuid: 'GPU-b', memoryUsedBytes: undefined, memoryTotalBytes: 2048, utilization: undefined },
    ]);
    await assertValues(telemetry, {
      'verdict_gpu_memory_used_bytes{gpu="0",uuid="GPU-a"}': 512,
      'verdict_gpu_memory_total_bytes{gpu="0",uuid="GPU-a"}': 1024,
      'verdict_gpu_utilization_ratio{gpu="0",uuid="GPU-a"}': 0.5,
      'verdict_gpu_memory_used_bytes{gpu="1",uuid="GPU-b"}': undefined,
      'verdict_gpu_memory_total_bytes{gpu="1",uuid="GPU-b"}': 2048,
      'verdict_gpu_utilization_ratio{gpu="1",uuid="GPU-b"}': undefined,
    });
  });
});

describe('OpenMetrics', () => {
  const span = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
  const input: Parameters<NonNullable<Telemetry['classifier']['onInput']>>[0] = {
    ...{
      model: 'sentiment',
      version: '3',
      alias: '',
      outcome: 'lru',
      tokens: 8,
      totalMs: 0.04,
      timings: undefined,
    },
    ...{ postprocessMs: 0.01, serviceClass: 'interactive', trace: undefined },
  };

  it('calls each metric by its name, once, and ends', async () => {
    const { body, contentType } = await telemetry.metrics('openmetrics');
    assert.match(contentType, /^application\/openmetrics-text; version=1\.0\.0/);
    assert.ok(body.endsWith('\n# EOF\n'));
    const names = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    assert.equal(new Set(names.map(([, name]) => name)).size, names.length);
    for (const [, name = '', type] of names) {
      const samples = body.split('\n').filter((line) => new RegExp(`^${name}(_total)?[{ ]`).test(line));
      if (type === 'counter')
        assert.ok(
          samples.every((line) => line.startsWith(`${name}_total`)),
          name,
        );
    }
    // A quotation mark would have to be escaped there.
    assert.doesNotMatch(body, /^# HELP .*"/m);
  });

  it('leaves the older format as it was', async () => {
    const before = (await telemetry.metrics()).body;
    await telemetry.metrics('openmetrics');
    const names = (body: string) => body.split('\n').filter((line) => line.startsWith('# TYPE'));
    assert.deepEqual(names((await telemetry.metrics()).body), names(before));
    assert.match(before, /^# TYPE inference_requests_total counter$/m);
  });

  it('has the latest traced input of a bucket as its exemplar, and no other', async () => {
    telemetry.classifier.onInput?.({ ...input, trace: { ...span, spanId: '1'.repeat(16), stage() {} } });
    telemetry.classifier.onInput?.({ ...input, trace: { ...span, stage() {} } });
    telemetry.classifier.onInput?.(input);
    const { body } = await telemetry.metrics('openmetrics');
    const buckets = body.split('\n').filter((line) => line.startsWith('inference_latency_seconds_bucket'));
    const exemplars = buckets.filter((line) => line.includes('# {'));
    assert.equal(exemplars.length, 1);
    assert.match(
      exemplars[0] ?? '',
      /le="0\.0001".*\} 3 # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"\} 0\.00004 \d{10}/,
    );
    assert.ok(!(await telemetry.metrics()).body.includes('trace_id'));
  });

  it('has the latest recorded call of a bucket as well', async () => {
    const call = {
      ...{ service, method: 'Classify', code: 'OK', durationMs: 1, requestId: '1', peer: '' },
      ...{ received: 1, sent: 1, cause: undefined },
    };
    const observer = telemetry.interceptors[0]?.intercept({ ...call, follow() {} } as never);
    assert.ok(observer !== undefined && !(observer instanceof Promise));
    observer.onEnd({ ...call, trace: { ...span, spanId: undefined } });
    assert.ok(!(await telemetry.metrics('openmetrics')).body.includes('trace_id'));
    observer.onEnd({ ...call, trace: span });
    assert.match(
      (await telemetry.metrics('openmetrics')).body,
      /^grpc_server_handling_seconds_bucket\{.*\} 2 # \{trace_id="4bf9/m,
    );
  });
});

describe('spans', () => {
  it('are counted by what became of them', async () => {
    const { tracing } = telemetry;
    tracing.onSpans?.('exported', 5);
    tracing.onSpans?.('failed', 3);
    tracing.onSpans?.('dropped', 1);
    tracing.onRequestRefused?.();
    await assertValues(telemetry, {
      'verdict_trace_spans_total{outcome="exported"}': 5,
      'verdict_trace_spans_total{outcome="failed"}': 3,
      'verdict_trace_spans_total{outcome="dropped"}': 1,
      verdict_trace_requests_refused_total: 1,
    });
  });

  it('that cannot be exported get a line at most every ten seconds', () => {
    telemetry.tracing.onExportFailed?.('connection refused');
    telemetry.tracing.onExportFailed?.('connection refused');
    now = 10_000;
    telemetry.tracing.onExportFailed?.('x'.repeat(1000));
    assert.deepEqual(
      log.map(({ level, fields: { trouble, suppressed } }) => [level, String(trouble).length, suppressed]),
      [
        ['warn', 18, 0],
        ['warn', 300, 1],
      ],
    );
  });
});

describe('an act of administration', () => {
  it('is one warning: who, what, on which model, and how it ended', () => {
    telemetry.rpc.onAdministered?.({
      ...{ requestId: 'r-1', service: 'verdict.v1.CacheService', method: 'Forget', code: 'OK' },
      ...{ peer: '127.0.0.1:4711', identity: 'key:ops', facts: { model: 'sentiment' } },
    });
    assert.deepEqual(log, [
      {
        level: 'warn',
        fields: {
          ...{ request_id: 'r-1', service: 'verdict.v1.CacheService', method: 'Forget', code: 'OK' },
          ...{ peer: '127.0.0.1:4711', identity: 'key:ops', arguments: { model: 'sentiment' } },
        },
        message: 'administration',
      },
    ]);
  });
});

describe('reloads of models', () => {
  it('are counted by outcome, and those that failed are told until one goes well', async () => {
    const { reloads } = telemetry;
    const reload = (outcome: ReloadOutcome, model = 'intent'): ModelReload => ({
      ...{ model, outcome, version: '1', reason: outcome === 'failed' ? 'golden check' : '' },
      flips: outcome === 'loaded' ? { compared: 60, flipped: 2 } : undefined,
      retired: outcome === 'retired' ? ['3', '2'] : [],
    });
    const all = (outcomes: readonly ModelReload[]) => {
      for (const one of outcomes) reloads.onModelReloaded?.(one, 1_500);
      reloads.onReloaded?.(outcomes);
    };
    const last = 'verdict_model_reload_last_success_timestamp_seconds';
    all([reload('failed'), reload('unchanged', 'sentiment')]);
    await assertValues(telemetry, { [last]: 0, verdict_models_outdated: 1 });
    assert.deepEqual(log.at(-2), {
      level: 'error',
      fields: { model: 'intent', serving: '1', reason: 'golden check', took_ms: 1_500 },
      message: 'model could not be reloaded: it stays as it was',
    });
    all([reload('loaded'), reload('removed', 'emotion')]);
    assert.deepEqual(log.at(-2)?.fields, {
      ...{ model: 'intent', version: '1', retired: [], compared: 60, flipped: 2, took_ms: 1_500 },
    });
    all([reload('retired')]);
    assert.deepEqual(log.at(-1), {
      level: 'info',
      fields: { model: 'intent', version: '1', retired: ['3', '2'], took_ms: 1_500 },
      message: 'versions of a model retired',
    });
    reloads.onFolderUnreadable?.('/models: cannot be read as a folder');
    reloads.onEndFailed?.({ name: 'intent', version: '1' }, new Error('stuck'));
    await assertValues(telemetry, {
      'verdict_model_reloads_total{outcome="loaded"}': 1,
      'verdict_model_reloads_total{outcome="unchanged"}': 1,
      'verdict_model_reloads_total{outcome="removed"}': 1,
      'verdict_model_reloads_total{outcome="failed"}': 1,
      'verdict_model_reloads_total{outcome="retired"}': 1,
      // What has not changed takes no time.
      verdict_model_reload_seconds_count: 4,
      verdict_model_reload_seconds_sum: 6,
      verdict_models_folder_unreadable_total: 1,
      verdict_models_outdated: 0,
    });
    assert.match((await telemetry.metrics()).body, new RegExp(`^${last} [1-9]`, 'm'));
    assert.deepEqual(
      log.slice(-2).map(({ level, message }) => [level, message]),
      [
        ['error', 'the models folder cannot be read: everything stays as it was'],
        ['error', 'a former version did not end well'],
      ],
    );
  });
});

describe('comparisons of versions', () => {
  const candidate = { model: 'sentiment', version: '3' };

  it('are counted by candidate, and forgotten with it', async () => {
    telemetry.comparisons.onCompared?.(candidate, true, 0.3);
    telemetry.comparisons.onCompared?.(candidate, false, 0);
    telemetry.comparisons.onNotCompared?.(candidate, 'failed');
    telemetry.comparisons.onNotCompared?.(candidate, 'dropped');
    const labels = 'model="sentiment",version="3"';
    await assertValues(telemetry, {
      [`verdict_shadow_inputs_total{${labels},outcome="compared"}`]: 2,
      [`verdict_shadow_inputs_total{${labels},outcome="failed"}`]: 1,
      [`verdict_shadow_inputs_total{${labels},outcome="dropped"}`]: 1,
      [`verdict_shadow_flips_total{${labels}}`]: 1,
      [`verdict_shadow_shift_count{${labels}}`]: 2,
      [`verdict_shadow_shift_sum{${labels}}`]: 0.3,
    });
    telemetry.version(sentiment).close();
    assert.doesNotMatch((await telemetry.metrics()).body, /verdict_shadow_\w+{/);
  });

  it('that take traffic away are counted, logged, and a line of the audit', async () => {
    const evidence = { cause: 'flips', count: 12, observations: 60 } as const;
    telemetry.comparisons.onRolledBack?.({ ...candidate, ...evidence, stable: '1', isKept: true });
    telemetry.comparisons.onRollbackFailed?.(candidate, 'the version sentiment/1 is failed');
    await assertValues(telemetry, {
      'verdict_rollbacks_total{cause="flips"}': 1,
      'verdict_rollbacks_total{cause="errors"}': 0,
    });
    const facts = { ...candidate, ...evidence, stable: '1', isKept: true };
    assert.deepEqual(log, [
      {
        level: 'warn',
        fields: { method: 'RollBack', identity: 'server', arguments: facts },
        message: 'administration',
      },
      { level: 'error', fields: facts, message: 'a candidate lost its traffic' },
      {
        level: 'error',
        fields: { ...candidate, reason: 'the version sentiment/1 is failed' },
        message: 'a candidate passed a limit and could not lose its traffic',
      },
    ]);
  });

  it('by the latest texts before a version takes over are counted by outcome', async () => {
    telemetry.reloads.onModelReloaded?.(
      {
        ...{ model: 'sentiment', outcome: 'loaded', version: '3', reason: '', flips: undefined, retired: [] },
        warmUp: { texts: 10, failed: 1, compared: 7, flipped: 2 },
      },
      5,
    );
    await assertValues(telemetry, {
      'verdict_warm_texts_total{outcome="same"}': 5,
      'verdict_warm_texts_total{outcome="flipped"}': 2,
      'verdict_warm_texts_total{outcome="not_compared"}': 2,
      'verdict_warm_texts_total{outcome="failed"}': 1,
    });
  });
});

describe('loads of models on demand', () => {
  it('are counted with what made room, who waits and who was refused', async () => {
    const { onDemand } = telemetry;
    telemetry.watchWaiting(() => 7);
    onDemand.onLoaded?.('intent', 1_500);
    onDemand.onLoadFailed?.('topics', 'no weights', 500);
    for (const cause of ['place', 'place', 'memory', 'request'] as const)
      onDemand.onUnloaded?.('emotion', cause, 20);
    for (const cause of ['waiting', 'deadline', 'pinned'] as const) onDemand.onRefused?.(cause);
    onDemand.onEndFailed?.({ name: 'emotion', version: '1' }, new Error('stuck'));
    await assertValues(telemetry, {
      'verdict_model_loads_total{outcome="loaded"}': 1,
      'verdict_model_loads_total{outcome="failed"}': 1,
      verdict_model_load_seconds_sum: 1.5,
      'verdict_model_unloads_total{cause="place"}': 2,
      'verdict_model_unloads_total{cause="memory"}': 1,
      'verdict_model_unloads_total{cause="request"}': 1,
      'verdict_model_load_refusals_total{cause="waiting"}': 1,
      'verdict_model_load_refusals_total{cause="deadline"}': 1,
      'verdict_model_load_refusals_total{cause="pinned"}': 1,
      verdict_model_load_waiting: 7,
    });
    assert.deepEqual(
      log.map(({ message }) => message),
      [
        'model loaded on demand',
        'model could not be loaded on demand',
        ...Array.from({ length: 4 }, () => 'model unloaded'),
        'an unloaded version did not end well',
      ],
    );
  });
});
