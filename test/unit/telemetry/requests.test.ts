import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ClassifierHooks } from '../../../src/classify/types.js';
import type { HandledCall } from '../../../src/rpc/types.js';
import { createTelemetry } from '../../../src/telemetry/create-telemetry.js';
import type { LogFields, Telemetry } from '../../../src/telemetry/types.js';
import { assertValues } from './assert-values.js';

type Item = Parameters<NonNullable<ClassifierHooks['onInput']>>[0];

const service = 'verdict.v1.ClassifierService';
const timings = { tokenizeMs: 1, queueMs: 30, inferenceMs: 4, batchSize: 2 };
const item: Item = {
  ...{ model: 'sentiment', version: '3', alias: '', outcome: 'miss', tokens: 8, serviceClass: 'bulk' },
  ...{ totalMs: 40, timings, postprocessMs: 0.2, trace: undefined },
};
const call: HandledCall = {
  ...{
    service,
    method: 'Classify',
    code: 'OK',
    durationMs: 1.23456,
    requestId: 'r-1',
    peer: '10.0.0.9:4711',
  },
  ...{ received: 1, sent: 1, cause: undefined },
};
const sentiment = { model: 'sentiment', version: '3' };
let telemetry: Telemetry;
let clock = 0;
let log: { level: string; fields: LogFields; message: string }[];
let calls: HandledCall[];
const at = (level: string) => (fields: LogFields, message: string) => {
  log.push({ level, fields, message });
};

/** Takes a call through the steps of the telemetry, from its start to its end. */
function handle(ended: HandledCall): void {
  const head = {
    ...ended,
    arrivedAt: 0,
    deadlineAt: 0,
    address: '127.0.0.1',
    tlsIdentity: undefined,
    metadata: () => undefined,
    takeMetadata: () => undefined,
    identify() {},
    follow() {},
    fail() {},
  };
  const signal = new AbortController().signal;
  for (const interceptor of telemetry.interceptors) {
    const observer = interceptor.intercept({ ...head, signal });
    assert.ok(!(observer instanceof Promise));
    observer?.onEnd(ended);
  }
}

beforeEach(() => {
  log = [];
  calls = [];
  telemetry = createTelemetry({
    log: {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      call: (ended) => calls.push(ended),
    },
    droppedLines: () => 5,
    version: '1.2.3',
    redisConfigured: true,
    latencyObjectiveMs: 50,
    eventLoopResolutionMs: 10,
    now: () => clock,
  });
  for (const interceptor of telemetry.interceptors) interceptor.prepare?.([{ service, method: 'Classify' }]);
  telemetry.version(sentiment);
});
afterEach(() => telemetry.close());

describe('an input', () => {
  it('that was computed counts as success, with the time of every stage', async () => {
    telemetry.classifier.onInput?.(item);
    await assertValues(telemetry, {
      'inference_requests_total{model="sentiment",version="3",status="success"}': 1,
      'inference_latency_seconds_sum{model="sentiment",version="3"}': 0.04,
      'inference_latency_seconds_bucket{le="0.025",model="sentiment",version="3"}': 0,
      'inference_latency_seconds_bucket{le="0.05",model="sentiment",version="3"}': 1,
      'inference_latency_seconds_bucket{le="+Inf",model="sentiment",version="3"}': 1,
      'verdict_stage_duration_seconds_sum{model="sentiment",version="3",stage="queue"}': 0.03,
      'verdict_queue_wait_seconds_sum{model="sentiment",version="3",class="bulk"}': 0.03,
      'verdict_queue_wait_seconds_count{model="sentiment",version="3",class="interactive"}': 0,
      'verdict_stage_duration_seconds_count{model="sentiment",version="3",stage="postprocess"}': 1,
    });
  });

  it('from either tier of the cache counts as cache_hit, without stages of computing', async () => {
    telemetry.classifier.onInput?.({ ...item, outcome: 'lru' });
    telemetry.classifier.onInput?.({ ...item, outcome: 'redis' });
    await assertValues(telemetry, {
      'inference_requests_total{model="sentiment",version="3",status="cache_hit"}': 2,
      'inference_latency_seconds_count{model="sentiment",version="3"}': 2,
      'verdict_stage_duration_seconds_count{model="sentiment",version="3",stage="inference"}': 0,
    });
  });

  it('that shared a computation counts as success, but the computation only once', async () => {
    telemetry.classifier.onInput?.({ ...item, outcome: 'coalesced' });
    await assertValues(telemetry, {
      'inference_requests_total{model="sentiment",version="3",status="success"}': 1,
      'verdict_stage_duration_seconds_count{model="sentiment",version="3",stage="queue"}': 0,
    });
  });

  it('that failed counts as error, without a latency', async () => {
    telemetry.classifier.onInput?.({ ...item, outcome: 'error', timings: undefined });
    await assertValues(telemetry, {
      'inference_requests_total{model="sentiment",version="3",status="error"}': 1,
      'inference_latency_seconds_count{model="sentiment",version="3"}': 0,
    });
  });

  it('for a model that nobody made known makes no series of its name', async () => {
    telemetry.classifier.onInput?.({ ...item, model: 'made-up' });
    telemetry.classifier.onInput?.({ ...item, model: '', outcome: 'error' });
    await assertValues(telemetry, {
      'inference_requests_total{model="unknown",version="",status="success"}': 1,
      'inference_requests_total{model="unknown",version="",status="error"}': 1,
      'inference_requests_total{model="made-up",status="success"}': undefined,
    });
  });
});

describe('a call', () => {
  it('is counted and has one line in the log', async () => {
    handle(call);
    const labels = `grpc_service="${service}",grpc_method="Classify"`;
    await assertValues(telemetry, {
      [`grpc_server_started_total{${labels}}`]: 1,
      [`grpc_server_handled_total{${labels},grpc_code="OK"}`]: 1,
      [`grpc_server_handling_seconds_count{${labels}}`]: 1,
    });
    assert.deepEqual(calls, [call]);
  });

  it('that failed inside has its cause in the log, at error', () => {
    handle({ ...call, code: 'INTERNAL', cause: new Error('broken') });
    const failure = log.find(({ level }) => level === 'error');
    assert.equal(failure?.fields.request_id, 'r-1');
    assert.equal((failure?.fields.error as LogFields | undefined)?.message, 'broken');
  });

  it('whose items fail inside has a line with the cause, and one a second at most', () => {
    const failed = { service, method: 'Classify', requestId: 'r-2' };
    telemetry.rpc.onInputFailed?.({ ...failed, cause: new Error('poison') });
    telemetry.rpc.onInputFailed?.({ ...failed, cause: new Error('poison') });
    clock += 1_000;
    telemetry.rpc.onInputFailed?.({ ...failed, cause: new Error('last') });
    const [first, last, ...more] = log.map(({ level, fields }) => ({
      level,
      requestId: fields.request_id,
      suppressed: fields.suppressed,
      error: fields.error as LogFields,
    }));
    assert.ok(first !== undefined && last !== undefined && more.length === 0);
    const { level, requestId, suppressed, error } = first;
    assert.deepEqual([level, requestId, suppressed, error.message], ['error', 'r-2', 0, 'poison']);
    assert.match(String(error.stack), /requests\.test/);
    assert.deepEqual([last.suppressed, last.error.message], [1, 'last']);
  });

  it('of a method, or with a code, that nobody made known makes no series of its name', async () => {
    handle({ ...call, method: 'Bogus', code: 'ODD' });
    await assertValues(telemetry, {
      'grpc_server_handled_total{grpc_service="unknown",grpc_method="unknown",grpc_code="UNKNOWN"}': 1,
    });
    assert.doesNotMatch((await telemetry.metrics()).body, /Bogus|ODD/);
  });
});
