import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { EnvoyProcess } from '../support/envoy-process.js';
import { EnvoyService, type HttpAnswer, httpCall } from '../support/envoy-service.js';
import { freePort } from '../support/free-port.js';
import { at, type JsonValue } from '../support/json-value.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';
import { UpstreamRecorder } from '../support/upstream-recorder.js';

const skip = await skipWithout('envoy');

/** Checks that an answer is a google.rpc.Status, and gives its details by their short type name. */
function detailsOf(answer: HttpAnswer, status: number, code: number): Map<string, JsonValue> {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.equal(at(answer.json, 'code'), code);
  const details = at(answer.json, 'details');
  assert.ok(Array.isArray(details));
  return new Map(
    details.map((one) => {
      const type = at(one, '@type');
      assert.ok(typeof type === 'string');
      return [type.replace('type.googleapis.com/google.rpc.', ''), one];
    }),
  );
}

const reasonOf = (details: Map<string, JsonValue>): JsonValue =>
  at(details.get('ErrorInfo') ?? null, 'reason');

describe('failures, as HTTP callers see them', { skip }, () => {
  let stack: EnvoyService;
  let number = 0;

  before(async () => {
    stack = await EnvoyService.start(['topics', 'poison'], {
      VERDICT_MAX_QUEUE_ITEMS: '1',
      VERDICT_BATCH_MAX_ITEMS: '1',
      VERDICT_DEFAULT_DEADLINE_MS: '8000',
    });
  });

  after(() => stack.stop());

  const fresh = (): { text: string } => ({ text: `match number ${number++}` });

  /** Runs the body while one call is in the session, for as long as it takes, and one more fills the queue. */
  async function whileFull(body: () => Promise<void>): Promise<HttpAnswer[]> {
    const release = stack.service.holdSession('topics');
    try {
      const running = stack.post('/v1:classify', fresh());
      await stack.service.untilRunning('topics');
      const queued = stack.post('/v1:classify', fresh());
      await stack.service.untilQueued('topics', 1);
      await body();
      return await Promise.all([running, queued]);
    } finally {
      release();
    }
  }

  it('INVALID_ARGUMENT is 400, and names every bad field', async () => {
    const body = { text: ' ', version: '01', options: { topK: 1 } };
    const details = detailsOf(await stack.post('/v1:classify', body), 400, 3);
    assert.equal(reasonOf(details), 'INVALID_FIELD');
    const violations = at(details.get('BadRequest') ?? null, 'fieldViolations');
    assert.ok(Array.isArray(violations));
    assert.deepEqual(
      violations.map((one) => at(one, 'field')),
      ['version', 'text'],
    );
  });

  it('NOT_FOUND is 404, and says what was not found', async () => {
    const details = detailsOf(await stack.post('/v1/models/nope:classify', fresh()), 404, 5);
    assert.equal(reasonOf(details), 'MODEL_NOT_FOUND');
    assert.equal(at(details.get('ResourceInfo') ?? null, 'resourceName'), 'nope');
    detailsOf(await stack.get('/v1/models/nope'), 404, 5);
  });

  it('INTERNAL is 500, with the request id to look for', async () => {
    const answer = await stack.post(
      '/v1/models/poison:classify',
      { text: 'poison' },
      { 'x-request-id': 'r-500' },
    );
    const details = detailsOf(answer, 500, 13);
    assert.equal(reasonOf(details), 'INFERENCE_FAILED');
    assert.equal(at(details.get('RequestInfo') ?? null, 'requestId'), 'r-500');
  });

  it('RESOURCE_EXHAUSTED is 429 with the delay in body and header, and is not tried again; deadlines are 504', async () => {
    const held = await whileFull(async () => {
      const answer = await stack.post('/v1:classify', fresh(), { 'x-request-id': 'r-429' });
      const details = detailsOf(answer, 429, 8);
      assert.equal(reasonOf(details), 'QUEUE_FULL');
      const retryDelay = at(details.get('RetryInfo') ?? null, 'retryDelay');
      assert.ok(typeof retryDelay === 'string');
      const delay = /^(\d+(?:\.\d+)?)s$/.exec(retryDelay)?.[1];
      assert.ok(delay !== undefined);
      assert.equal(answer.headers.get('retry-after'), String(Math.max(1, Math.ceil(Number(delay)))));
      assert.equal(answer.headers.get('grpc-retry-pushback-ms'), null);
      const lines = () => stack.envoy.log.filter((line) => line.request_id === 'r-429');
      await until('Envoy has logged the call', () => lines().length === 1);
      assert.equal(lines()[0]?.attempts, 1);
      assert.equal(await stack.envoy.stat('cluster.verdict.upstream_rq_retry'), 0);
      assert.equal(await stack.envoy.stat('cluster.verdict.outlier_detection.ejections_active'), 0);
    });
    // Nobody let the session go on: the default deadline has ended both calls, and the answer is the server's.
    for (const answer of held) assert.equal(reasonOf(detailsOf(answer, 504, 4)), 'DEADLINE_EXCEEDED');
  });

  it("a caller's grpc-timeout is a deadline over HTTP, too", async () => {
    const release = stack.service.holdSession('topics');
    try {
      const answer = await stack.post('/v1:classify', fresh(), { 'grpc-timeout': '100m' });
      assert.equal(reasonOf(detailsOf(answer, 504, 4)), 'DEADLINE_EXCEEDED');
    } finally {
      release();
    }
  });

  it('a message larger than any valid one is 429 without a delay: not to be tried again', async () => {
    const inputs = Array.from({ length: 4 }, () => ({ text: 'x'.repeat(500_000) }));
    const answer = await stack.post('/v1:batchClassify', { inputs });
    assert.equal(reasonOf(detailsOf(answer, 429, 8)), 'MESSAGE_TOO_LARGE');
    assert.equal(answer.headers.get('retry-after'), null);
  });

  it('a stream that is refused before its first message has its real code, in whatever form it was asked for', async () => {
    for (const accept of ['*/*', 'application/x-ndjson', 'text/event-stream']) {
      const body = [{ settings: { defaultModel: 'No Name' } }, fresh()];
      const details = detailsOf(await stack.post('/v1:classifyStream', body, { accept }), 400, 3);
      assert.equal(reasonOf(details), 'INVALID_FIELD');
    }
  });

  it('UNAVAILABLE is 503 while no instance of the model is left', async () => {
    // The last test of this server: its model does not come back.
    const ready = stack.service.server.log.findLast((l) => l.msg === 'session ready' && l.model === 'poison');
    await stack.service.withhold('poison');
    process.kill(Number(ready?.pid), 'SIGKILL');
    const call = () => stack.post('/v1/models/poison:classify', fresh());
    await until('the model is gone', async () => (await call()).status === 503);
    assert.equal(reasonOf(detailsOf(await call(), 503, 14)), 'NO_INSTANCE');
  });
});

describe('failures that no server of ours brings about', { skip }, () => {
  it('each gRPC code has its HTTP code, and its message comes through', async (t) => {
    const upstream = await UpstreamRecorder.start();
    t.after(() => upstream.stop());
    const envoy = await EnvoyProcess.start(upstream.address);
    t.after(() => envoy.stop());
    for (const [code, status] of [
      [1, 499],
      [7, 403],
      [12, 501],
      [16, 401],
    ] as const) {
      upstream.answer = { 'grpc-status': String(code), 'grpc-message': 'so it is' };
      const answer = await httpCall(`${envoy.url}/v1:classify`, { method: 'POST', body: '{}' });
      detailsOf(answer, status, code);
      assert.equal(at(answer.json, 'message'), 'so it is');
    }
  });

  it('headers for the server reach it as the caller wrote them; headers that steer Envoy do not', async (t) => {
    const upstream = await UpstreamRecorder.start();
    t.after(() => upstream.stop());
    const envoy = await EnvoyProcess.start(upstream.address);
    t.after(() => envoy.stop());
    const headers = {
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      tracestate: 'vendor=1',
      'x-request-id': '4bf92f35-77b3-4da6-a3ce-929d0e0e4736',
      'verdict-class': 'bulk',
      'grpc-timeout': '20S',
    };
    const steering = { 'x-envoy-retry-on': '5xx', 'x-envoy-max-retries': '9' };
    upstream.answer = { 'grpc-status': '14' };
    await httpCall(`${envoy.url}/v1:classify`, {
      method: 'POST',
      body: '{}',
      headers: { ...headers, ...steering },
    });
    // The first try, and the two that the configuration allows.
    assert.equal(upstream.calls.length, 3);
    for (const call of upstream.calls) {
      for (const [name, value] of Object.entries(headers)) assert.equal(call[name], value);
      for (const name of Object.keys(steering)) assert.equal(call[name], undefined);
      assert.equal(call['x-envoy-original-path'], '/v1:classify');
      // Longer than the default deadline of the server.
      assert.ok(Number(call['x-envoy-expected-rq-timeout-ms']) > 30_000);
    }
    await httpCall(`${envoy.url}/v1:classifyStream`, { method: 'POST', body: '[]' });
    assert.equal(upstream.calls.at(-1)?.['x-envoy-expected-rq-timeout-ms'], undefined);
  });

  it('without any server the answer is 503, in the same form', async (t) => {
    const envoy = await EnvoyProcess.start(`127.0.0.1:${await freePort()}`);
    t.after(() => envoy.stop());
    for (const [path, body] of [
      ['/v1:classify', '{}'],
      ['/v1:classifyStream', '[]'],
    ]) {
      const answer = await httpCall(`${envoy.url}${path}`, { method: 'POST', body: body ?? '' });
      assert.equal(detailsOf(answer, 503, 14).size, 0);
    }
  });
});
