import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Contract } from '../../../src/http/contract.js';
import { UnaryExchange } from '../../../src/http/unary-exchange.js';
import { repositoryRoot } from '../../support/repository.js';
import { Edge, timeout } from '../rpc/edge.js';

const contract = new Contract(readFileSync(join(repositoryRoot, 'generated/descriptor.binpb')));

/** Answers each request as a batch of none, and tells of the bodies that were read to their end. */
async function listen(t: TestContext, edge: Edge, bodies: number[]): Promise<number> {
  const parts = {
    calls: edge.server.direct,
    contract,
    bodies: { compression: true, maxCompressionRatio: 2_000 },
    moderators: { of: () => undefined, usual: () => undefined },
    about: { version: '1.2.3', maxBatchInputs: 4, streamWindow: 4 },
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) =>
    UnaryExchange.run(request, response, parts, {
      method: contract.method('/verdict.v1.ClassifierService/BatchClassify'),
      hasBody: true,
      requestOf: (body) => {
        bodies.push(body.length);
        return { message: { inputs: [{ text: 'a' }] } };
      },
      answerOf: (answer) => ({ body: answer }),
      failureOf: (status, httpCode) => ({ httpCode, body: status }),
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const zeros = gzipSync(Buffer.alloc(8 * 2 ** 20));
const head = [
  'POST / HTTP/1.1',
  'host: localhost',
  'content-encoding: gzip',
  `content-length: ${zeros.length}`,
];

describe('a request with a compressed body', { timeout }, () => {
  it('is read to its end while its caller is there', async (t) => {
    const bodies: number[] = [];
    await Edge.run({}, async (edge) => {
      const socket = connect(await listen(t, edge, bodies), '127.0.0.1');
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.write(zeros);
      const [answer] = await once(socket, 'data');
      socket.destroy();
      assert.match(String(answer), /^HTTP\/1.1 200 /);
      assert.deepEqual(bodies, [8 * 2 ** 20]);
    });
  });

  it('is inflated no further once its caller has left', async (t) => {
    const bodies: number[] = [];
    await Edge.run({}, async (edge) => {
      const socket = connect(await listen(t, edge, bodies), '127.0.0.1');
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.write(zeros, () => socket.destroy());
      const { code } = await edge.handledCall();
      assert.equal(code, 'CANCELLED');
      // Time enough to inflate what was there many times over.
      await delay(500);
      assert.deepEqual(bodies, []);
    });
  });
});
