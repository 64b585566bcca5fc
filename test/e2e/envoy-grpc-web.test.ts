import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { clone, createFileRegistry, type DescService, fromBinary, type Message } from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { collect } from '../support/collect.js';
import { EnvoyService } from '../support/envoy-service.js';
import { repositoryRoot } from '../support/repository.js';
import { skipWithout } from '../support/tool.js';

/** A message of a type that is known at run time only. */
type Fields = Message & Record<string, unknown>;

describe('gRPC-Web through Envoy, with the client that browsers use', {
  skip: await skipWithout('envoy'),
}, () => {
  let stack: EnvoyService;
  let contract: FileDescriptorSet;
  let transport: Transport;

  before(async () => {
    stack = await EnvoyService.start(['topics']);
    const bytes = await readFile(join(repositoryRoot, 'generated/descriptor.binpb'));
    contract = fromBinary(FileDescriptorSetSchema, bytes);
    transport = createGrpcWebTransport({ baseUrl: stack.envoy.url });
  });

  after(() => stack.stop());

  function service(name: string): DescService {
    const found = createFileRegistry(contract).getService(name);
    assert.ok(found !== undefined);
    return found;
  }

  function unary(method: string, request: object): Promise<Fields> {
    const client = createClient(service('verdict.v1.ClassifierService'), transport);
    const call = Reflect.get(client, method) as (request: object) => Promise<Fields>;
    return call(request);
  }

  it('classifies', async () => {
    const input = { case: 'text', value: 'the match' };
    const { classification } = await unary('classify', { input });
    assert.equal((classification as Fields).model, 'topics');
    const batch = await unary('batchClassify', { inputs: [{ input }, { input }] });
    assert.equal((batch.results as Fields[]).length, 2);
  });

  it('hands errors over as gRPC has them', async () => {
    const failure = await unary('classify', {}).catch((error: unknown) => error);
    assert.ok(failure instanceof ConnectError);
    assert.equal(failure.code, Code.InvalidArgument);
    assert.equal(failure.rawMessage, 'input: text or pair must be set');
    assert.notEqual(failure.metadata.get('grpc-status-details-bin'), null);
  });

  it('streams answers: one request, as many as gRPC-Web has, gets its answer and the end', async () => {
    // Browsers cannot send while they receive, and this client refuses to try: it is told that they need not.
    const known = contract;
    contract = clone(FileDescriptorSetSchema, known);
    for (const file of contract.file) {
      for (const { method } of file.service) {
        for (const one of method) if (one.name === 'ClassifyStream') one.clientStreaming = false;
      }
    }
    const client = createClient(service('verdict.v1.ClassifierService'), transport);
    contract = known;
    const stream = Reflect.get(client, 'classifyStream') as (request: object) => AsyncIterable<Fields>;
    const settings = { sendEnd: true };
    const request = { id: 'a', input: { case: 'text', value: 'the match' }, settings };
    const responses = await collect(stream(request));
    assert.deepEqual(
      responses.map(({ outcome }) => (outcome as { case: string }).case),
      ['classification', 'end'],
    );
    assert.equal(responses[0]?.id, 'a');
  });

  it('streams health', async () => {
    const client = createClient(service('grpc.health.v1.Health'), transport);
    const watch = Reflect.get(client, 'watch') as (request: object, options: object) => AsyncIterable<Fields>;
    const leaving = new AbortController();
    const states: unknown[] = [];
    await assert.rejects(async () => {
      for await (const { status } of watch({ service: '' }, { signal: leaving.signal })) {
        states.push(status);
        leaving.abort();
      }
    });
    assert.deepEqual(states, [1]);
  });
});
