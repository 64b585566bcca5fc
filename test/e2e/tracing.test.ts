import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { EnvoyProcess } from '../support/envoy-process.js';
import { EnvoyService, httpCall } from '../support/envoy-service.js';
import { withEnvoyTracing } from '../support/envoy-tracing.js';
import { freePort } from '../support/free-port.js';
import { TestKeyFile } from '../support/key-files.js';
import { RedisServer } from '../support/redis-server.js';
import { repositoryRoot } from '../support/repository.js';
import { batchRequest, streamRequest, textRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { startService } from '../support/started-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { skipWithout } from '../support/tool.js';
import { type ReceivedSpan, TraceCollector } from '../support/trace-collector.js';
import { drawTrace, namesIn, rowsOf } from '../support/trace-picture.js';
import { until } from '../support/until.js';

const picture = join(repositoryRoot, 'docs/images/trace.svg');

/** Stands in everything that callers write below, and in nothing that the collector gets. */
const marker = 'zanzibarmarker';

const callersSpan = '00f067aa0ba902b7';
const isServer = ({ kind }: ReceivedSpan) => kind === 'server';

/** The trace of a caller, by a number of our own. */
const traceOf = (number: number) => number.toString(16).padStart(32, '0');
const isCall = (number: number) => (span: ReceivedSpan) => isServer(span) && span.traceId === traceOf(number);
const isEnvoys = ({ resource }: ReceivedSpan) => resource['service.name'] === 'envoy';
const isOwnCall = (number: number) => (span: ReceivedSpan) => isCall(number)(span) && !isEnvoys(span);
const traceparent = (number: number, flags = '01') => `00-${traceOf(number)}-${callersSpan}-${flags}`;

function metadata(fields: Readonly<Record<string, string>>): Metadata {
  const found = new Metadata();
  for (const [key, value] of Object.entries(fields)) found.set(key, value);
  return found;
}

function only(spans: readonly ReceivedSpan[], isWanted: (span: ReceivedSpan) => boolean): ReceivedSpan {
  const [first, ...others] = spans.filter(isWanted);
  assert.ok(first !== undefined && others.length === 0, `${others.length + 1} or none instead of one`);
  return first;
}

/** One call by gRPC, to its end, good or bad. */
function classify(
  service: Service,
  text: string,
  fields: Readonly<Record<string, string>>,
): Promise<unknown> {
  return new Promise((resolve) => {
    service.classifier.classify(textRequest(text), metadata(fields), (error, response) =>
      resolve(error ?? response),
    );
  });
}

const noCollector = await skipWithout('otelcol-v0.165.0');

describe('the trace of a call through Envoy', {
  skip: noCollector || (await skipWithout('envoy')) || (await skipWithout('redis-server')),
}, () => {
  let collector: TraceCollector;
  let redis: RedisServer;
  let stack: EnvoyService;
  let spans: ReceivedSpan[];
  let server: ReceivedSpan;

  /** Two traced calls, one of them through Envoy, wait for a session that is busy, and then run in one batch. */
  before(async () => {
    collector = await TraceCollector.start();
    redis = await RedisServer.start();
    stack = await EnvoyService.start(
      ['topics'],
      {
        VERDICT_TRACING: 'grpc',
        VERDICT_TRACING_SAMPLE_RATIO: '0',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.grpcUrl,
        OTEL_SERVICE_NAME: 'classifier',
        VERDICT_REDIS_URL: redis.url,
      },
      withEnvoyTracing(collector.grpcUrl),
    );
    const { service } = stack;
    await until('Redis is in use', async () => {
      await service.client.classify(`warm up ${performance.now()}`);
      return (
        (await service.server.metric('verdict_cache_writes_total', { tier: 'redis', outcome: 'ok' })) > 0
      );
    });
    const release = service.holdSession('topics');
    const busy = service.client.classify('the one before');
    await service.untilRunning('topics');
    const fields = { traceparent: traceparent(1), tracestate: `v=${marker}`, baggage: `k=${marker}` };
    const answers = [
      stack.post('/v1:classify', { text: `the coach praised ${marker}` }, fields),
      classify(service, `the team thanked ${marker}`, { traceparent: traceparent(2) }),
    ];
    await service.untilQueued('topics', 2);
    release();
    await Promise.all([...answers, busy]);
    await collector.until("the neighbour's trace is there", isCall(2));
    await collector.until('the trace of the call is there', isOwnCall(1));
    spans = await collector.until("Envoy's span is there", (span) => isEnvoys(span) && isCall(1)(span));
    server = only(spans, isOwnCall(1));
  });

  after(async () => {
    await stack.stop();
    await redis.stop();
    await collector.stop();
  });

  const named = (name: string) => only(spans, (span) => span.traceId === traceOf(1) && span.name === name);

  const envoys = () => only(spans, (span) => isEnvoys(span) && isCall(1)(span));

  it("arrives whole: Envoy's span below its caller's, the call below Envoy, each stage below the input", () => {
    assert.equal(envoys().parentId, callersSpan);
    assert.equal(server.parentId, envoys().spanId);
    assert.deepEqual(
      rowsOf(spans, server).map(({ span, depth }) => `${depth} ${span.name}`),
      [
        '0 verdict.v1.ClassifierService/Classify',
        '1 receive',
        '1 validate',
        '1 classify',
        ...['2 memory', '2 redis', '2 tokenize', '2 queue', '2 run', '2 score'],
      ],
    );
    for (const { span } of rowsOf(spans, server)) {
      assert.equal(span.traceId, traceOf(1));
      assert.ok(span.startMs >= server.startMs - 0.001 && span.endMs <= server.endMs + 0.001, span.name);
      assert.equal(span.isError, false);
    }
  });

  it('speaks by the semantic conventions, and says which service it is of', () => {
    assert.equal(server.kind, 'server');
    const { 'verdict.messages.sent': sent, ...attributes } = server.attributes;
    assert.equal(sent, 1);
    assert.deepEqual(attributes, {
      'rpc.system.name': 'grpc',
      'rpc.method': 'verdict.v1.ClassifierService/Classify',
      'rpc.status_code': 'OK',
      'verdict.messages.received': 1,
      'verdict.inputs': 1,
    });
    assert.deepEqual(named('classify').attributes, {
      'verdict.class': 'interactive',
      'verdict.model': 'topics',
      'verdict.version': '1',
      'verdict.cache': 'miss',
    });
    assert.equal(named('redis').kind, 'client');
    assert.deepEqual(named('redis').attributes, { 'db.system.name': 'redis', 'db.operation.name': 'GET' });
    assert.equal(server.resource['service.name'], 'classifier');
    assert.match(String(server.resource['service.instance.id']), /^[0-9a-f-]{36}$/);
  });

  it('links with the batch that the input ran in, as the trace of its neighbour does', () => {
    const inputs = spans.filter(({ name }) => name === 'classify');
    const runs = spans.filter(({ name }) => name === 'run');
    const batch = only(spans, ({ name }) => name === 'batch');
    assert.equal(batch.parentId, '');
    assert.ok(![traceOf(1), traceOf(2)].includes(batch.traceId));
    assert.deepEqual(batch.links.toSorted(), inputs.map(({ spanId }) => spanId).toSorted());
    assert.deepEqual(
      runs.map(({ links }) => links),
      [[batch.spanId], [batch.spanId]],
    );
    const {
      'verdict.batch.tokens': tokens,
      'verdict.batch.padded_tokens': padded,
      ...facts
    } = batch.attributes;
    assert.ok(Number(tokens) > 0 && Number(padded) >= Number(tokens));
    assert.deepEqual(facts, {
      'verdict.model': 'topics',
      'verdict.version': '1',
      'verdict.batch.inputs': 2,
      'verdict.batch.closed': 'drained',
    });
  });

  it('holds nothing that the caller wrote', async () => {
    const isEnvoysLine = (line: string) => line.includes('"stringValue":"envoy"');
    const own = (await collector.text()).split('\n').filter((line) => !isEnvoysLine(line));
    assert.ok(own.some((line) => line.includes(server.spanId)));
    assert.ok(!own.join().includes(marker));
    assert.equal(server.traceState, '');
  });

  it('is named in the line of the call', async () => {
    const line = () => stack.service.server.log.find(({ trace_id: id }) => id === traceOf(1));
    await until('the line is there', () => line() !== undefined);
    assert.equal(line()?.span_id, server.spanId);
  });

  it('is the exemplar of the latency, for those who ask for OpenMetrics', async () => {
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
    const page = await fetch(`${stack.service.server.adminUrl}/metrics`, { headers: { accept } });
    assert.match(String(page.headers.get('content-type')), /^application\/openmetrics-text; version=1\.0\.0/);
    const body = await page.text();
    for (const [series, { spanId }] of [
      ['grpc_server_handling_seconds_bucket', server],
      ['inference_latency_seconds_bucket', named('classify')],
    ] as const) {
      const exemplar = `# {trace_id="${traceOf(1)}",span_id="${spanId}"}`;
      const lines = body.split('\n').filter((line) => line.startsWith(series));
      // Its neighbour may be the latest in the same bucket.
      assert.ok(
        lines.some((line) => line.includes(exemplar) || line.includes(`# {trace_id="${traceOf(2)}"`)),
        series,
      );
    }
  });

  it('is what the picture in the docs shows', async () => {
    const drawn = drawTrace(
      spans,
      envoys(),
      only(spans, ({ name }) => name === 'batch'),
    );
    if (process.env.UPDATE_PICTURES !== undefined) await writeFile(picture, drawn);
    assert.deepEqual(namesIn(await readFile(picture, 'utf8')), namesIn(drawn));
  });

  it("is its caller's if Envoy does not trace, and passes on what the caller says", async () => {
    const envoy = await EnvoyProcess.start(stack.service.server.address);
    try {
      const headers = { 'content-type': 'application/json', traceparent: traceparent(3) };
      const request = { method: 'POST', headers, body: '{"text":"match"}' };
      assert.equal((await httpCall(`${envoy.url}/v1:classify`, request)).status, 200);
      const received = await collector.until('the call is there', isOwnCall(3));
      assert.equal(only(received, isOwnCall(3)).parentId, callersSpan);
    } finally {
      await envoy.stop();
    }
  });
});

describe('which calls are traced', { skip: noCollector }, () => {
  let collector: TraceCollector;
  let service: Service | undefined;

  before(async () => {
    collector = await TraceCollector.start();
  });
  afterEach(() => service?.stop());
  after(() => collector.stop());

  const start = async (settings: Readonly<Record<string, string>>) => {
    service = await Service.start(['topics'], {
      VERDICT_TRACING: 'http',
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.httpUrl}/`,
      ...settings,
    });
    return service;
  };

  it('those whose callers say so, up to a limit, and of the others their share', async () => {
    const running = await start({
      VERDICT_TRACING_SAMPLE_RATIO: '0',
      VERDICT_TRACING_ASKED_PER_MINUTE: '2',
    });
    const { server } = running;
    const calls = [
      { traceparent: traceparent(11) },
      { traceparent: traceparent(12, '00') },
      { traceparent: 'not a traceparent' },
      {},
      { traceparent: traceparent(13) },
      { traceparent: traceparent(14) },
    ];
    for (const fields of calls) await classify(running, 'match', fields);
    assert.equal(await server.metric('verdict_trace_requests_refused_total'), 1);
    await running.stop();
    const spans = await collector.until('the last one is there', isCall(13));
    assert.deepEqual(
      spans.filter(isServer).map(({ traceId }) => traceId),
      [traceOf(11), traceOf(13)],
    );
    const ids = server.log.filter(({ msg }) => msg === 'call').map(({ trace_id: id }) => id);
    // The log names the trace of a call that is not recorded, too.
    assert.deepEqual(ids, [traceOf(11), traceOf(12), undefined, undefined, traceOf(13), traceOf(14)]);
  });

  it('not those of whom nobody knows: they do not count against the others', async (t) => {
    const file = new TestKeyFile(temporaryFolder(t));
    const key = file.add('search');
    file.write();
    const running = await start({
      VERDICT_API_KEYS_FILE: file.path,
      VERDICT_TRACING_SAMPLE_RATIO: '0',
      VERDICT_TRACING_ASKED_PER_MINUTE: '1',
    });
    for (const number of [61, 62]) await classify(running, 'match', { traceparent: traceparent(number) });
    await classify(running, 'match', { traceparent: traceparent(63), 'x-api-key': key });
    await running.stop();
    const spans = await collector.until('the call with a key is there', isCall(63));
    assert.deepEqual(
      spans.filter((span) => isCall(61)(span) || isCall(62)(span)),
      [],
    );
  });

  it('with a ratio of 1 all: a malformed traceparent begins a trace, health is left out', async () => {
    const running = await start({ VERDICT_TRACING_SAMPLE_RATIO: '1' });
    await new Promise((resolve) => running.health.check({ service: '' }, resolve));
    await classify(running, 'match', { traceparent: `${traceparent(21)}-${marker}`, tracestate: marker });
    await running.stop();
    const isNew = (span: ReceivedSpan) => isServer(span) && !/^0{16}/.test(span.traceId);
    const { parentId, name } = only(await collector.until('the call is there', isNew), isNew);
    assert.deepEqual([parentId, name], ['', 'verdict.v1.ClassifierService/Classify']);
  });

  it('of a long stream the call and some of its inputs, of a batch each of its first 32', async () => {
    const running = await start({ VERDICT_TRACING_SAMPLE_RATIO: '0' });
    const stream = running.classifier.classifyStream(metadata({ traceparent: traceparent(31) }));
    const answered = new Promise<number>((resolve) => {
      let answers = 0;
      stream.on('data', () => {
        answers++;
      });
      stream.on('end', () => resolve(answers));
    });
    for (let index = 0; index < 300; index++) stream.write(streamRequest(`match ${index % 7}`));
    stream.end();
    assert.equal(await answered, 300);
    await new Promise((resolve) => {
      const request = batchRequest(['goal', 'match', ' ']);
      running.classifier.batchClassify(request, metadata({ traceparent: traceparent(32) }), resolve);
    });
    await running.stop();
    const spans = await collector.until('the batch is there', isCall(32));
    const streamed = spans.filter(({ traceId }) => traceId === traceOf(31));
    const call = only(streamed, isServer);
    assert.equal(call.attributes['verdict.inputs'], 300);
    assert.equal(streamed.filter(({ name }) => name === 'classify').length, 35);
    const batched = spans.filter(({ traceId }) => traceId === traceOf(32));
    assert.equal(only(batched, isServer).attributes['verdict.inputs'], 3);
    const inputs = batched.filter(({ name }) => name === 'classify');
    assert.deepEqual(
      inputs.map(({ attributes }) => attributes['verdict.class']),
      ['bulk', 'bulk'],
    );
  });

  it('an input that another call has asked for already waits for that one, and links to it', async () => {
    const running = await start({ VERDICT_TRACING_SAMPLE_RATIO: '0' });
    const release = running.holdSession('topics');
    const answers = [41, 42].map((number) =>
      classify(running, 'the same text', { traceparent: traceparent(number) }),
    );
    await until(
      'one has joined',
      async () => (await running.server.metric('verdict_cache_joins_total')) === 1,
    );
    release();
    await Promise.all(answers);
    await running.stop();
    await collector.until('one call is there', isCall(41));
    const spans = (await collector.until('the other is there', isCall(42))).filter(({ traceId }) =>
      [traceOf(41), traceOf(42)].includes(traceId),
    );
    const join = only(spans, ({ name }) => name === 'join');
    const leader = only(spans, ({ name, spanId }) => name === 'classify' && join.links.includes(spanId));
    assert.notEqual(leader.traceId, join.traceId);
    assert.equal(leader.attributes['verdict.cache'], 'miss');
    assert.equal(
      only(spans, ({ spanId }) => spanId === join.parentId).attributes['verdict.cache'],
      'coalesced',
    );
  });

  it('says of a call that failed with what, and of an input that waited in vain how long', async () => {
    const running = await start({
      VERDICT_TRACING_SAMPLE_RATIO: '0',
      VERDICT_DEFAULT_DEADLINE_MS: '1000',
    });
    const release = running.holdSession('topics');
    const busy = classify(running, 'the one before', {});
    await running.untilRunning('topics');
    await classify(running, `match ${marker}`, { traceparent: traceparent(51) });
    release();
    await busy;
    await running.stop();
    const received = await collector.until('the call is there', isCall(51));
    const spans = received.filter(({ traceId }) => traceId === traceOf(51));
    const call = only(spans, isServer);
    assert.equal(call.isError, true);
    assert.equal(call.attributes['rpc.status_code'], 'DEADLINE_EXCEEDED');
    assert.equal(call.attributes['error.type'], 'DEADLINE_EXCEEDED');
    const input = only(spans, ({ name }) => name === 'classify');
    assert.equal(input.isError, true);
    assert.equal(input.attributes['error.type'], 'DEADLINE_EXCEEDED');
    assert.ok(only(spans, ({ name }) => name === 'queue'));
    assert.ok(!(await collector.text()).includes(marker));
  });
});

describe('a collector that is of no use', { skip: noCollector }, () => {
  it('hangs: the spans are dropped and counted, and neither a call nor the stop waits', async (t) => {
    const collector = await TraceCollector.start();
    t.after(() => collector.stop());
    const service = await startService(t, {
      VERDICT_TRACING: 'grpc',
      VERDICT_TRACING_SAMPLE_RATIO: '1',
      VERDICT_TRACING_ENDPOINT: collector.grpcUrl,
    });
    const spans = (outcome: string) => service.server.metric('verdict_trace_spans_total', { outcome });
    await service.client.classify('match');
    await until('it has taken spans', async () => (await spans('exported')) > 0);
    collector.pause();
    for (let call = 0; call < 1000; call++) await service.client.classify('match');
    await until('spans were dropped', async () => (await spans('dropped')) > 0);
    await until('spans have failed', async () => (await spans('failed')) > 0, 30_000);
    await until('the log says so', () =>
      service.server.log.some(({ msg }) => msg === 'spans could not be exported'),
    );
    await service.client.classify('match');
    await service.stop();
    assert.deepEqual(await service.server.exit, { code: 0, signal: null });
    assert.deepEqual(service.server.complaints, []);
  });

  it('is not there: what the exporter says of it stays out of the output', async (t) => {
    const service = await startService(t, {
      VERDICT_TRACING: 'http',
      VERDICT_TRACING_SAMPLE_RATIO: '1',
      VERDICT_TRACING_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    });
    await service.client.classify('match');
    const failed = () => service.server.metric('verdict_trace_spans_total', { outcome: 'failed' });
    await until('spans have failed', async () => (await failed()) > 0, 30_000);
    await service.client.classify('match');
    await service.stop();
    assert.deepEqual(await service.server.exit, { code: 0, signal: null });
    assert.deepEqual(
      service.server.log.filter(({ msg }) => msg === 'output of a library'),
      [],
    );
  });
});
