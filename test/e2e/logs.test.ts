import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ClassifyRequest, ClassifyStreamRequest } from '../../generated/verdict/v1/classifier_service.js';
import { settingsMessage, streamRequest, textRequest } from '../support/requests.js';
import { ServedModels } from '../support/served-models.js';
import { Service } from '../support/service.js';
import { StreamCall } from '../support/stream-call.js';
import { unaryOutcome } from '../support/unary-outcome.js';
import { until } from '../support/until.js';
import { frame } from '../support/wire-frames.js';
import { classifyPath, RawCall, streamPath } from '../unit/rpc/raw-call.js';

/** Stands in everything that callers send below; it must stand in nothing that the server writes. */
const marker = 'zanzibarmarker';

describe('the log', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics', 'pairs', 'poison'], { VERDICT_LOG_LEVEL: 'trace' });
  });

  after(() => service.stop());

  const callLines = () => service.server.log.filter(({ msg }) => msg === 'call');

  async function assertSilent(): Promise<void> {
    const written = [...service.server.log.map((line) => JSON.stringify(line)), ...service.server.complaints];
    assert.deepEqual(
      written.filter((line) => line.toLowerCase().includes(marker)),
      [],
    );
  }

  it('has one line for each call, with what happened and no more', async () => {
    await service.client.classify('match', { requestId: 'log-1' });
    await until('the line is there', () => callLines().some((line) => line.request_id === 'log-1'));
    const {
      time,
      duration_ms: durationMs,
      peer,
      ...line
    } = callLines().find((candidate) => candidate.request_id === 'log-1') ?? {};
    assert.deepEqual(line, {
      level: 'info',
      request_id: 'log-1',
      service: 'verdict.v1.ClassifierService',
      method: 'Classify',
      code: 'OK',
      received: 1,
      sent: 1,
      msg: 'call',
    });
    assert.ok(Date.parse(String(time)) > 0);
    assert.ok(Number(durationMs) > 0);
    assert.match(String(peer), /^127\.0\.0\.1:\d+$/);
  });

  it('never holds what callers wrote, whatever becomes of it', async () => {
    const { client, classifier } = service;
    const text = `match ${marker}`;
    const pair = { text, textPair: `soup ${marker}` };
    const calls = callLines().length;
    await client.classify(text);
    await client.classify(text);
    await client.classify(pair, { model: 'pairs' });
    await client.classifyBatch([text, pair, `${marker} again`, ' ', `${marker}${'x'.repeat(8200)}`]);
    await assert.rejects(client.classify(`${`${marker} `.repeat(100)}`, { truncation: 'reject' }));
    await assert.rejects(client.classify(`poison ${marker}`, { model: 'poison' }));
    await client.classifyBatch([text, `poison in a batch, ${marker}`], { model: 'poison' });
    await assert.rejects(client.classify(text, { model: `no-${marker}` }));
    await assert.rejects(client.classify(text, { model: `Not ${marker}` }));
    await assert.rejects(client.classify(text, { version: marker }));
    await assert.rejects(client.getModel(marker));
    await client.health(`models/${marker}`);
    const stream = new StreamCall(classifier).send(
      settingsMessage({ defaultModel: 'topics' }),
      streamRequest(text, { id: marker }),
      streamRequest(`poison ${marker}`, { id: marker, model: 'poison' }),
      streamRequest(text, { id: marker.repeat(20) }),
      streamRequest(text, { model: marker }),
      settingsMessage({ defaultModel: marker }),
    );
    assert.equal((await stream.rest()).length, 4);
    // A request id of the wrong shape and headers that nobody asked for.
    const fields = { 'x-request-id': `${marker} !`, 'x-other': marker, authorization: `Bearer ${marker}` };
    await unaryOutcome(classifier.classify.bind(classifier), textRequest(text), fields);
    await RawCall.run(service.port, async (session) => {
      const unary = frame(ClassifyRequest.encode(textRequest(text)).finish());
      const item = frame(ClassifyStreamRequest.encode(streamRequest(text)).finish());
      const broken = frame(Buffer.concat([Buffer.from([0x1a, 20, 0xff]), Buffer.from(marker)]));
      for (const [path, body, more] of [
        [classifyPath, broken, {}],
        [classifyPath, Buffer.concat([unary, unary]), {}],
        [classifyPath, unary, { 'grpc-timeout': marker }],
        [classifyPath, unary, { 'grpc-encoding': marker }],
        [`/verdict.v1.ClassifierService/${marker}`, unary, {}],
        [`/${marker}/${marker}`, unary, {}],
        [streamPath, Buffer.concat([item, broken]), {}],
      ] as const) {
        const call = new RawCall(session, path, more);
        call.stream.end(body);
        call.stream.resume();
        await call.trailers;
      }
    });
    await until('the calls are in the log', () => callLines().length >= calls + 21);
    await assertSilent();
  });

  it('keeps silent about texts when the server stops, too', async () => {
    await service.stop();
    await assertSilent();
    assert.ok(service.server.log.some(({ msg }) => msg === 'stopping'));
  });
});

describe('the log of payloads', () => {
  it('holds texts where it is asked for, redacted, and a warning of it', async (t) => {
    const served = await ServedModels.start(t, ['topics'], {
      VERDICT_LOG_PAYLOAD_PERCENT: '100',
    });
    await served.client().classify('the coach wrote to jane@example.com');
    const payloads = () => served.server.log.filter(({ msg }) => msg === 'payload');
    await until('the line is there', () => payloads().length === 1);
    const [{ text, model, label, score } = {}] = payloads();
    assert.deepEqual(
      [text, model, typeof label, typeof score],
      ['the coach wrote to [email]', 'topics', 'string', 'number'],
    );
    assert.ok(
      served.server.log.some(
        ({ level, msg }) => level === 'warn' && /VERDICT_LOG_PAYLOAD_PERCENT/.test(String(msg)),
      ),
    );
  });
});
