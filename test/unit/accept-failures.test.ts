import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { AdminServer } from '../../src/admin/admin-server.js';
import { HttpServer } from '../../src/http/http-server.js';
import { repositoryRoot } from '../support/repository.js';
import { textRequest } from '../support/requests.js';
import { Edge, TestCatalog, timeout, unary } from './rpc/edge.js';

/** What Node does where accept(2) fails with an error that is not a lack of descriptors of this process. */
function failToAccept(port: number): void {
  // No public list has the servers of a process.
  const handles = (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles();
  const server = handles.find(
    (one): one is Server => one instanceof Server && (one.address() as AddressInfo | null)?.port === port,
  );
  assert.ok(server !== undefined);
  server.emit('error', Object.assign(new Error('accept ENFILE'), { code: 'ENFILE', syscall: 'accept' }));
}

describe('a connection that cannot be accepted', { timeout }, () => {
  it('is refused by the gRPC port, which goes on', async () => {
    await Edge.run({}, async (edge) => {
      failToAccept(edge.port);
      assert.deepEqual(edge.refused, ['all']);
      const { classifier } = edge;
      const { error } = await unary(classifier.classify.bind(classifier), textRequest('a'), new Metadata());
      assert.equal(error, null);
    });
  });

  it('is refused by the HTTP port, which goes on', async (t) => {
    await Edge.run({}, async (edge) => {
      const refused: string[] = [];
      const http = new HttpServer({
        host: '127.0.0.1',
        port: 0,
        calls: edge.server.direct,
        descriptorSet: readFileSync(join(repositoryRoot, 'generated/descriptor.binpb')),
        about: { version: '1.2.3', maxBatchInputs: 4, streamWindow: 4 },
        bodies: { compression: true, maxCompressionRatio: 200 },
        catalog: new TestCatalog(),
        tls: undefined,
        connections: {
          maxConnections: 10,
          maxConnectionsPerPeer: 10,
          onRefused: (reason) => refused.push(reason),
        },
      });
      const port = await http.start(10);
      t.after(() => http.close(AbortSignal.abort()));
      failToAccept(port);
      assert.deepEqual(refused, ['all']);
      const answer = await fetch(`http://127.0.0.1:${port}/v1/models`);
      assert.equal(answer.status, 200);
      await answer.text();
    });
  });

  it('is told by the port for administration, which goes on', async (t) => {
    const errors: unknown[] = [];
    const admin = new AdminServer({
      host: '127.0.0.1',
      port: 0,
      readiness: () => ({ ready: true, reasons: [] }),
      metrics: async () => ({ contentType: 'text/plain', body: '' }),
      onError: (error) => errors.push(error),
    });
    const port = await admin.start();
    t.after(() => admin.close(AbortSignal.abort()));
    failToAccept(port);
    assert.equal(errors.length, 1);
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
  });
});
