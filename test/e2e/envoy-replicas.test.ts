import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { EnvoyProcess } from '../support/envoy-process.js';
import { httpCall } from '../support/envoy-service.js';
import { at } from '../support/json-value.js';
import { OpenStream } from '../support/open-stream.js';
import { outcomeOf } from '../support/outcomes.js';
import { ServedModels } from '../support/served-models.js';
import { streamMessages } from '../support/stream-body.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

/** Outcomes by what was called, as `call: outcome`. */
type Tally = Map<string, number>;

function add(tally: Tally, call: string, outcome: string): void {
  const key = `${call}: ${outcome}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
}

describe('two replicas behind Envoy, of which one drains under load', {
  skip: await skipWithout('envoy'),
}, () => {
  it('cost no unary or batch call anything, and every stream says how it ended', async (t) => {
    const [leaving, staying] = await Promise.all([
      ServedModels.start(t, ['topics'], { VERDICT_STREAM_WINDOW: '4' }),
      ServedModels.start(t, ['topics'], { VERDICT_STREAM_WINDOW: '4' }),
    ]);
    const envoy = await EnvoyProcess.start(leaving.server.address, staying.server.address);
    t.after(() => envoy.stop());
    const grpc = new VerdictClient({ address: new URL(envoy.url).host, retry: false });
    t.after(async () => grpc.close());

    const tally: Tally = new Map();
    const interrupted = { streams: 0 };
    let made = 0;
    let goesOn = true;
    const text = (): string => `match number ${made++}`;
    const post = (path: string, body: unknown): ReturnType<typeof httpCall> =>
      httpCall(`${envoy.url}${path}`, { method: 'POST', body: JSON.stringify(body) });

    const calls: Record<string, () => Promise<string>> = {
      'unary over HTTP': async () => String((await post('/v1:classify', { text: text() })).status),
      'batch over HTTP': async () => {
        const inputs = [{ text: text() }, { text: text() }];
        const { status, json } = await post('/v1:batchClassify', { inputs });
        return `${status}${at(json, 'results', 1, 'classification') === null ? ' without an answer' : ''}`;
      },
      'unary over gRPC': () => grpc.classify(text()).then(() => outcomeOf(), outcomeOf),
      'batch over gRPC': () => grpc.classifyBatch([text(), text()]).then(() => outcomeOf(), outcomeOf),
    };
    const streamCall = async (): Promise<string> => {
      const { status, text: body } = await post(
        '/v1:classifyStream',
        Array.from({ length: 60 }, () => ({ text: text() })),
      );
      if (status !== 200) return `${status} before the first answer`;
      const messages = streamMessages('application/json', body);
      const end = at(messages.at(-1) ?? null, 'end');
      if (end === null) return 'no end';
      assert.equal(at(end, 'classifiedCount'), messages.length - 1);
      const code = at(end, 'status', 'code');
      if (code === 0) return messages.length === 61 ? 'whole' : 'answers are missing';
      if (code !== 14) return `an end with code ${JSON.stringify(code)}`;
      interrupted.streams++;
      return 'whole';
    };
    const repeat = (name: string, call: () => Promise<string>): Promise<void>[] =>
      [1, 2].map(async () => {
        while (goesOn) add(tally, name, await call());
      });
    const callers = Object.entries(calls).flatMap(([name, call]) => repeat(name, call));
    const answered = (served: ServedModels): Promise<number> =>
      served.server.metric('grpc_server_handled_total', { grpc_service: 'verdict.v1.ClassifierService' });
    await until('both replicas answer', async () => {
      return (await answered(leaving)) > 30 && (await answered(staying)) > 30;
    });

    // Streams that are open and answered when the drain begins, one at least with the replica that leaves.
    const open: OpenStream[] = [];
    t.after(async () => {
      for (const stream of open) stream.close();
    });
    const streamsOf = (served: ServedModels) => served.server.metric('verdict_streams_in_flight');
    while ((await streamsOf(leaving)) === 0 || (await streamsOf(staying)) === 0) {
      assert.ok(open.length < 50, 'both replicas get some of the streams');
      const stream = new OpenStream(envoy.url);
      open.push(stream);
      await stream.ask('a', text());
    }
    const onLeaving = await streamsOf(leaving);
    callers.push(...repeat('stream over HTTP', streamCall));
    await until('whole streams are answered', () => tally.has('stream over HTTP: whole'));

    leaving.server.kill('SIGTERM');
    assert.deepEqual(await leaving.server.exit, { code: 0, signal: null });
    await until('its streams have ended', () => {
      return open.filter(({ endCode }) => endCode === 14).length === onLeaving;
    });
    for (const stream of open.filter(({ endCode }) => endCode === null)) {
      stream.end();
      await stream.ended;
      assert.equal(stream.endCode, 0);
    }
    const then = await answered(staying);
    await until('the other one goes on', async () => (await answered(staying)) > then + 100);
    goesOn = false;
    await Promise.all(callers);

    assert.deepEqual([...tally.keys()].sort(), [
      'batch over HTTP: 200',
      'batch over gRPC: OK',
      'stream over HTTP: whole',
      'unary over HTTP: 200',
      'unary over gRPC: OK',
    ]);
    t.diagnostic(`${interrupted.streams} streams were ended by the drain; ${JSON.stringify([...tally])}`);
  });
});
