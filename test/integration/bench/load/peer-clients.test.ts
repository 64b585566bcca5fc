import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeTextClient, type Protocol } from '../../../../bench/load/clients/make-text-client.js';
import { PeerServer } from '../../../support/peer-server.js';
import { findTool, skipWithout } from '../../../support/tool.js';

const common = { model: 'base', bypassCache: false, maxInFlight: 4 };
const texts = ['a fine film', 'naïve café 日本', 'x'.repeat(5000)];

describe('the clients of other servers, against a gRPC server in Python', {
  skip: await skipWithout('python-grpc'),
}, () => {
  let peer: PeerServer;
  before(async () => {
    const tool = await findTool('python-grpc');
    assert.ok('path' in tool);
    peer = await PeerServer.start(tool.path);
  });
  after(() => peer.stop());

  const connect = (protocol: Protocol) => makeTextClient({ ...common, protocol, address: peer.address });

  for (const [protocol, method] of [
    ['tei-unary', 'Predict'],
    ['tei-stream', 'PredictStream'],
  ] as const) {
    it(`${protocol} sends each text whole, to be cut if it is too long, and takes the answer`, async () => {
      const client = connect(protocol);
      try {
        for (const text of texts) assert.equal(await client.classify(text), 'unknown');
      } finally {
        client.close();
      }
      assert.deepEqual(
        await peer.seen(texts.length),
        texts.map((text) => ({ method, text, truncate: true })),
      );
    });

    it(`${protocol} takes an answer without predictions for a failure`, async () => {
      const client = connect(protocol);
      try {
        await assert.rejects(client.classify('empty'), /without predictions/);
        assert.equal(await client.classify('after it'), 'unknown');
      } finally {
        client.close();
      }
      await peer.seen(2);
    });

    it(`${protocol} passes on a refusal`, async () => {
      const client = connect(protocol);
      try {
        await assert.rejects(client.classify('refuse'), /no permits left/);
      } finally {
        client.close();
      }
      await peer.seen(1);
    });
  }

  it('a stream that was refused fails every text that still waits', async () => {
    const client = connect('tei-stream');
    try {
      const answers = await Promise.allSettled(
        ['one', 'refuse', 'three'].map((text) => client.classify(text)),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected'],
      );
      await assert.rejects(client.classify('later'));
    } finally {
      client.close();
    }
    await peer.seen(2);
  });

  it('oip-grpc sends one tensor of one string to the model, and takes its outputs', async () => {
    const client = makeTextClient({ ...common, protocol: 'oip-grpc', address: peer.address, input: 'words' });
    try {
      for (const text of texts) assert.equal(await client.classify(text), 'unknown');
      await assert.rejects(client.classify('empty'), /without outputs/);
      await assert.rejects(client.classify('refuse'), /not ready/);
    } finally {
      client.close();
    }
    assert.deepEqual(
      (await peer.seen(texts.length + 2)).slice(0, texts.length),
      texts.map((text) => ({
        method: 'ModelInfer',
        text,
        model: 'base',
        input: 'words',
        datatype: 'BYTES',
        shape: [1],
        tensors: 1,
      })),
    );
  });
});
