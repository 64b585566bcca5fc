import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { type handleUnaryCall, Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { RawUnaryClient, toFrame } from '../../../bench/load/raw-unary-client.js';
import {
  ClassifierServiceService,
  ClassifyRequest,
  ClassifyResponse,
} from '../../../generated/verdict/v1/classifier_service.js';

const PATH = '/verdict.v1.ClassifierService/Classify';

describe('RawUnaryClient', () => {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const seen: { text: string; timeoutMs: number; label: unknown }[] = [];
  let address = '';

  before(async () => {
    const classify: handleUnaryCall<ClassifyRequest, ClassifyResponse> = (call, callback) => {
      const text = call.request.input?.$case === 'text' ? call.request.input.value : '';
      const timeoutMs = Number(call.getDeadline()) - Date.now();
      seen.push({ text, timeoutMs, label: call.metadata.get('x-label')[0] });
      if (text !== 'refuse') {
        callback(null, ClassifyResponse.fromPartial({ classification: { model: 'echo' } }));
        return;
      }
      const metadata = new Metadata();
      metadata.set('grpc-status-details-bin', Buffer.from([1, 2, 3]));
      callback({ code: 8, details: 'full', metadata });
    };
    server.addService(ClassifierServiceService, {
      classify,
      batchClassify: classify,
      classifyStream: () => {},
    });
    address = await new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else resolve(`127.0.0.1:${port}`);
      });
    });
  });
  after(() => server.forceShutdown());

  const frameOf = (text: string) =>
    toFrame(
      ClassifyRequest.encode(ClassifyRequest.fromPartial({ input: { $case: 'text', value: text } })).finish(),
    );

  it('calls a gRPC server with the message, the deadline and the headers', async () => {
    const client = new RawUnaryClient(address, PATH, 2, { 'x-label': 'one' });
    try {
      assert.deepEqual(await client.call(frameOf('héllo'), 60_000), { status: 0, details: undefined });
    } finally {
      client.close();
    }
    const [call] = seen;
    assert.equal(call?.text, 'héllo');
    assert.equal(call?.label, 'one');
    assert.ok(call.timeoutMs > 0 && call.timeoutMs <= 60_000);
  });

  it('keeps the message of the answer where it is asked to', async () => {
    const client = new RawUnaryClient(address, PATH, 1);
    try {
      const { status, message } = await client.call(frameOf('label'), undefined, true);
      assert.equal(status, 0);
      const { classification } = ClassifyResponse.decode(message ?? new Uint8Array());
      assert.equal(classification?.model, 'echo');
    } finally {
      client.close();
    }
  });

  it('reads the status and the details of a refusal', async () => {
    const client = new RawUnaryClient(address, PATH, 1);
    try {
      const answer = await client.call(frameOf('refuse'), undefined);
      assert.equal(answer.status, 8);
      assert.deepEqual(Buffer.from(answer.details ?? '', 'base64'), Buffer.from([1, 2, 3]));
    } finally {
      client.close();
    }
  });

  it('answers unavailable where nobody listens, and after it was closed', async () => {
    const { createServer } = await import('node:net');
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const bound = taken.address();
    taken.close();
    await once(taken, 'close');
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const client = new RawUnaryClient(`127.0.0.1:${port}`, PATH, 1);
    assert.equal((await client.call(frameOf('x'), undefined)).status, 14);
    client.close();
    assert.equal((await client.call(frameOf('x'), undefined)).status, 14);
  });
});
