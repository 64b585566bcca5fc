import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { VerdictClient } from '../../../clients/typescript/src/index.js';
import { CacheOutcome } from '../../../generated/verdict/v1/classification.js';
import { type ClassifyStreamRequest, StreamOrder } from '../../../generated/verdict/v1/classifier_service.js';
import {
  type Behaviour,
  classification,
  echo,
  grpcError,
  richStatus,
  type StreamCall,
  startTestServer,
} from './test-server.js';

const open: { close(): void }[] = [];
after(() => {
  for (const opened of open) opened.close();
});

async function connect(classifyStream?: Behaviour['classifyStream']): Promise<VerdictClient> {
  const server = await startTestServer(classifyStream === undefined ? {} : { classifyStream });
  const client = new VerdictClient({ address: server.address });
  open.push(client, server);
  return client;
}

/** A source that counts what is read from it and notes when it is let go. */
function countingSource(count = Number.POSITIVE_INFINITY) {
  const state = { read: 0, closed: false };
  async function* items() {
    try {
      while (state.read < count) yield { id: `n${state.read}`, text: `text ${state.read++}` };
    } finally {
      state.closed = true;
    }
  }
  return { state, items: items() };
}

/** Lets everything that is under way between client and server come to rest. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const answer = (index: number) => ({
  id: '',
  index,
  outcome: { $case: 'classification' as const, value: classification() },
});

test('Every input gets its result, with its id, its position and the very object that went in', async () => {
  const client = await connect();
  const items = Array.from({ length: 1000 }, (_, n) => ({ id: `n${n}`, text: `text ${n}`, row: n }));
  let expected = 0;
  for await (const result of client.classifyStream(items)) {
    assert.ok(result.ok);
    assert.equal(result.index, expected);
    assert.equal(result.id, `n${expected}`);
    assert.equal(result.item, items[expected]);
    expected++;
  }
  assert.equal(expected, 1000);
});

test('Plain strings can be streamed, and nothing at all', async () => {
  const client = await connect();
  const seen: string[] = [];
  for await (const { item } of client.classifyStream(['a', 'b'])) seen.push(item);
  assert.deepEqual(seen, ['a', 'b']);
  assert.deepEqual(await client.classifyStream([]).next(), { done: true, value: undefined });
});

test('What cannot be streamed is refused before a call begins, and not quoted', async () => {
  const client = await connect(() => assert.fail('a call has begun'));
  assert.throws(() => client.classifyStream(['a'], { defaultOptions: { topK: -1 } }), {
    code: 'INVALID_ARGUMENT',
  });
  for (const source of ['a secret text', 7, {}] as unknown as string[][])
    assert.throws(
      () => client.classifyStream(source),
      (error: Error) => !error.message.includes('secret'),
    );
});

test('A source that does not begin ends the stream with its own error', async () => {
  const client = await connect();
  const failure = new Error('no source today');
  const source = {
    [Symbol.iterator]: (): Iterator<string> => {
      throw failure;
    },
  };
  const stream = client.classifyStream(source, { sendEnd: true });
  await assert.rejects(stream.next(), failure);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test('Settings go out alone and first; the summary is there after the loop', async () => {
  const requests: ClassifyStreamRequest[] = [];
  const client = await connect((call) => {
    call.on('data', (request: ClassifyStreamRequest) => {
      requests.push(request);
      if (request.settings === undefined) call.write(answer(0));
    });
    call.on('end', () => {
      const value = {
        classifiedCount: 1,
        failedCount: 0,
        cacheCounts: [{ outcome: CacheOutcome.LRU, count: 1 }],
        status: { code: 0, message: '', details: [] },
      };
      call.write({ id: '', index: 1, outcome: { $case: 'end', value } });
      call.end();
    });
  });
  const stream = client.classifyStream([{ text: 'a', options: { topK: 2 } }], {
    order: 'completion',
    sendEnd: true,
    defaultModel: 'intent',
    defaultOptions: { cache: 'bypass' },
  });
  for await (const { ok } of stream) assert.ok(ok);
  assert.deepEqual(requests[0]?.settings, {
    order: StreamOrder.COMPLETION,
    sendEnd: true,
    defaultModel: 'intent',
    defaultOptions: { topK: undefined, minScore: undefined, activation: 0, truncation: 0, cache: 1 },
  });
  assert.equal(requests[0]?.input, undefined);
  assert.equal(requests[1]?.options?.topK, 2);
  assert.deepEqual(stream.summary, {
    classifiedCount: 1,
    failedCount: 0,
    cacheCounts: new Map([['lru', 1]]),
  });
});

test('Results that overtake each other find their own input', async () => {
  const client = await connect((call) => {
    call.on('end', () => {
      for (const index of [2, 0, 1]) call.write(answer(index));
      call.end();
    });
    call.resume();
  });
  const seen: string[] = [];
  for await (const { item } of client.classifyStream(['a', 'b', 'c'])) seen.push(item);
  assert.deepEqual(seen, ['c', 'a', 'b']);
});

test('A failed input is a result with its error, and the stream goes on', async () => {
  const client = await connect((call) => {
    call.on('end', () => {
      const value = richStatus(status.INVALID_ARGUMENT, 'text: is blank', { reason: 'INVALID_FIELD' });
      call.write({ id: 'bad', index: 0, outcome: { $case: 'error', value } });
      call.write(answer(1));
      call.end();
    });
    call.resume();
  });
  const stream = client.classifyStream([{ id: 'bad', text: ' ' }, { text: 'good' }]);
  const first = (await stream.next()).value;
  assert.ok(first !== undefined && !first.ok);
  assert.equal(first.id, 'bad');
  assert.equal(first.error.reason, 'INVALID_FIELD');
  assert.equal((await stream.next()).value?.ok, true);
  assert.equal((await stream.next()).done, true);
});

test('A source is read a window ahead of the results that were taken, and no further', async () => {
  const client = await connect();
  const { state, items } = countingSource();
  const stream = client.classifyStream(items, { window: 8 });
  await stream.next();
  await settle();
  assert.equal(state.read, 9);
  for (let taken = 0; taken < 20; taken++) await stream.next();
  await settle();
  assert.equal(state.read, 29);
  await stream.return();
});

test('A server that does not answer stops the reading of the source', async () => {
  let call: StreamCall | undefined;
  const client = await connect((opened) => {
    call = opened;
  });
  const { state, items } = countingSource();
  const stream = client.classifyStream(items, { window: 8 });
  const first = stream.next();
  await settle();
  assert.equal(state.read, 8);
  assert.ok(call !== undefined);
  echo(call);
  assert.equal((await first).value?.index, 0);
  await stream.return();
});

test('A server that does not read stops the reading of the source, however wide the window', async () => {
  const client = await connect((call) => call.pause());
  const text = 'x'.repeat(64 * 1024);
  const state = { read: 0 };
  async function* items() {
    for (;;) {
      state.read++;
      yield text;
    }
  }
  const controller = new AbortController();
  const stream = client.classifyStream(items(), { window: 1_000_000, signal: controller.signal });
  const first = stream.next();
  for (let before = -1; before !== state.read; ) {
    before = state.read;
    await settle();
  }
  assert.ok(state.read * text.length < 8 * 1024 * 1024, `${state.read} texts of 64 KiB were read`);
  controller.abort();
  await assert.rejects(first, { code: 'CANCELLED' });
});

test('A stream that nobody reads sends nothing', async () => {
  let calls = 0;
  const client = await connect(() => {
    calls++;
  });
  const { state, items } = countingSource();
  client.classifyStream(items);
  await settle();
  assert.equal(calls, 0);
  assert.equal(state.read, 0);
});

test('Leaving the loop cancels the call and closes the source', async () => {
  let cancelledOnServer: Promise<unknown> | undefined;
  const client = await connect((call) => {
    cancelledOnServer = once(call, 'cancelled');
    echo(call);
  });
  const { state, items } = countingSource();
  for await (const { index } of client.classifyStream(items, { window: 4 })) if (index === 10) break;
  assert.equal(state.closed, true);
  await cancelledOnServer;
  const read = state.read;
  await settle();
  assert.equal(state.read, read);
});

test('Leaving the loop does not wait for a source that has nothing to give', async () => {
  const client = await connect();
  async function* stuck() {
    yield 'only one';
    await new Promise(() => undefined);
  }
  for await (const { ok } of client.classifyStream(stuck())) {
    assert.ok(ok);
    break;
  }
});

test('An error of the source cancels the call and comes out as it is, after the results', async () => {
  let cancelledOnServer: Promise<unknown> | undefined;
  const client = await connect((call) => {
    cancelledOnServer = once(call, 'cancelled');
    echo(call);
  });
  const failure = new Error('disk on fire');
  let release: (() => void) | undefined;
  const answered = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* source() {
    yield 'a';
    await answered;
    throw failure;
  }
  const stream = client.classifyStream(source());
  assert.equal((await stream.next()).value?.item, 'a');
  release?.();
  await assert.rejects(stream.next(), (error) => error === failure);
  await cancelledOnServer;
  assert.equal((await stream.next()).done, true);
});

test('An input that cannot be sent ends the stream, closes the source and says why', async () => {
  const client = await connect();
  const state = { closed: false };
  function* source() {
    try {
      yield { text: 'a', options: { topK: 1.5 } };
    } finally {
      state.closed = true;
    }
  }
  await assert.rejects(client.classifyStream(source()).next(), { code: 'INVALID_ARGUMENT', message: /topK/ });
  assert.equal(state.closed, true);
});

test('An abort ends the stream with CANCELLED and drops what was not taken', async () => {
  const controller = new AbortController();
  const client = await connect();
  const { state, items } = countingSource();
  const stream = client.classifyStream(items, { signal: controller.signal, window: 4 });
  await stream.next();
  await settle();
  controller.abort();
  await assert.rejects(stream.next(), { code: 'CANCELLED' });
  assert.equal((await stream.next()).done, true);
  await settle();
  assert.equal(state.closed, true);
});

test('A signal that aborted before the loop opens no call', async () => {
  let calls = 0;
  const client = await connect(() => {
    calls++;
  });
  await assert.rejects(client.classifyStream(['a'], { signal: AbortSignal.abort() }).next(), {
    code: 'CANCELLED',
  });
  await settle();
  assert.equal(calls, 0);
});

test('A call that fails gives the results that came first, then its error', async () => {
  const client = await connect((call) => {
    call.once('data', () => {
      call.write(answer(0), () => {
        call.emit('error', grpcError(status.UNAVAILABLE, 'draining', { reason: 'DRAINING' }));
      });
    });
  });
  const { state, items } = countingSource();
  const stream = client.classifyStream(items, { window: 2 });
  assert.equal((await stream.next()).value?.index, 0);
  await assert.rejects(stream.next(), { code: 'UNAVAILABLE', reason: 'DRAINING' });
  await settle();
  assert.equal(state.closed, true);
});

test('A stream that the server ends early is an error, though its status is OK', async () => {
  const client = await connect((call) => {
    call.once('data', () => call.end());
  });
  await assert.rejects(client.classifyStream(['a', 'b']).next(), {
    code: 'INTERNAL',
    reason: 'STREAM_BROKEN',
  });
});

test('An answer to nothing that was asked is an error', async () => {
  const client = await connect((call) => {
    call.once('data', () => call.write(answer(7)));
  });
  await assert.rejects(client.classifyStream(['a']).next(), { code: 'INTERNAL', reason: 'STREAM_BROKEN' });
});

test('A stream has a deadline where one was set', async () => {
  const client = await connect(() => undefined);
  await assert.rejects(client.classifyStream(['a'], { timeoutMs: 30 }).next(), { code: 'DEADLINE_EXCEEDED' });
});

test('Several results may be asked for at once', async () => {
  const client = await connect();
  const stream = client.classifyStream(['a', 'b', 'c']);
  const results = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
  assert.deepEqual(
    results.map((result) => (result.done ? 'done' : result.value.item)),
    ['a', 'b', 'c', 'done'],
  );
});
