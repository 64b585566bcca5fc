import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { createExporter, type ExporterOptions } from '../../../src/tracing/create-exporter.js';

const bytes = (value: Buffer): Buffer => value;
const exportMethod = {
  path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

/** Exports one span, and waits until the collector has taken it. */
async function exportOne(options: Pick<ExporterOptions, 'protocol' | 'endpoint'>): Promise<void> {
  const headers = { authorization: 'Bearer abc', 'x-tenant': '1' };
  const exporter = createExporter({ ...options, headers, timeoutMs: 5_000 });
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  provider.getTracer('test').startSpan('a span of ours').end();
  await provider.shutdown();
}

describe('the exporter', () => {
  it('speaks OTLP over HTTP, with the headers that were set', async () => {
    const seen: { url?: string | undefined; headers?: IncomingHttpHeaders; body: string } = { body: '' };
    const server = createServer((request, response) => {
      seen.url = request.url;
      seen.headers = request.headers;
      request.setEncoding('latin1').on('data', (text: string) => {
        seen.body += text;
      });
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await exportOne({ protocol: 'http', endpoint });
      assert.equal(seen.url, '/v1/traces');
      assert.equal(seen.headers?.['content-type'], 'application/x-protobuf');
      assert.equal(seen.headers.authorization, 'Bearer abc');
      assert.equal(seen.headers['x-tenant'], '1');
      assert.ok(seen.body.includes('a span of ours'));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('speaks OTLP over gRPC, with the headers that were set', async () => {
    const seen: { metadata?: Metadata; body?: Buffer } = {};
    const server = new Server();
    server.addService(
      { export: exportMethod },
      {
        export: ({ metadata, request }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          seen.metadata = metadata;
          seen.body = request;
          answer(null, Buffer.alloc(0));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    try {
      await exportOne({ protocol: 'grpc', endpoint: `http://127.0.0.1:${port}` });
      assert.deepEqual(seen.metadata?.get('authorization'), ['Bearer abc']);
      assert.deepEqual(seen.metadata.get('x-tenant'), ['1']);
      assert.ok(seen.body?.includes('a span of ours'));
    } finally {
      server.forceShutdown();
    }
  });
});
