import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { childProcesses } from '../support/child-processes.js';
import { HealthLog } from '../support/health-log.js';
import { count, type Outcomes, outcomeOf } from '../support/outcomes.js';
import { PublishedModels } from '../support/published-models.js';
import { until } from '../support/until.js';

const RELOADS = 20;
const PATIENCE = { timeout: 400_000 };
/** Texts and the labels that they must keep. */
const KNOWN = [
  ['team', 'sports'],
  ['law', 'politics'],
  ['chip', 'technology'],
  ['soup', 'food'],
] as const;

const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

describe('a model that is reloaded again and again', () => {
  it(
    'fails no call and flips no answer under load, broken versions or not, and leaks neither processes nor descriptors',
    PATIENCE,
    async (t) => {
      const models = await PublishedModels.create(t);
      await models.publish('topics/1', 'topics');
      const server = await models.serve(t, 'topics');
      const connect = () => {
        const client = new VerdictClient({ address: server.address, retry: false });
        t.after(() => client.close());
        return client;
      };
      const watch = new HealthLog(server.address);
      t.after(() => watch.close());
      const outcomes: Outcomes = {};
      let sent = 0;
      let stopped = false;
      const next = () => {
        const number = sent++;
        const [word, label] = KNOWN[number % KNOWN.length] ?? KNOWN[0];
        // No two texts are alike: none is answered from the cache.
        return { text: `the ${word} ${number}`, label };
      };
      const ask = async (client: VerdictClient) => {
        while (!stopped) {
          const { text, label } = next();
          await client.classify(text).then(
            (answer) => count(outcomes, answer.label === label ? 'OK' : 'flipped'),
            (error: unknown) => count(outcomes, outcomeOf(error)),
          );
        }
      };
      const stream = async (client: VerdictClient) => {
        const labels: string[] = [];
        const source = function* () {
          while (!stopped) {
            const { text, label } = next();
            labels.push(label);
            yield text;
          }
        };
        let answered = 0;
        for await (const result of client.classifyStream(source())) {
          const label = labels[answered++];
          if (!result.ok) count(outcomes, outcomeOf(result.error));
          else count(outcomes, result.classification.label === label ? 'OK' : 'flipped');
        }
        assert.equal(answered, labels.length);
      };
      const [one, other] = [connect(), connect()];
      const load = [stream(one), ask(other), ask(other)];
      await until('there is load', () => (outcomes.OK ?? 0) > 1_000);
      const before = { sessions: childProcesses(server.pid).length, descriptors: descriptors(server.pid) };

      const expected = { loaded: 0, failed: 0 };
      const counts = async () => ({
        loaded: await server.metric('verdict_model_reloads_total', { outcome: 'loaded' }),
        failed: await server.metric('verdict_model_reloads_total', { outcome: 'failed' }),
      });
      for (let reload = 1; reload <= RELOADS; reload++) {
        const isBroken = reload % 3 === 0;
        await models.publish(`topics/${reload + 1}`, isBroken ? 'broken' : 'topics');
        server.kill('SIGHUP');
        expected[isBroken ? 'failed' : 'loaded']++;
        await until(
          `reload ${reload} is over`,
          async () => {
            const { loaded, failed } = await counts();
            return loaded + failed === reload;
          },
          60_000,
        );
      }
      assert.deepEqual(await counts(), expected);
      stopped = true;
      await Promise.all(load);

      assert.deepEqual(Object.keys(outcomes), ['OK'], JSON.stringify(outcomes));
      assert.equal(outcomes.OK, sent);
      assert.deepEqual(watch.told, ['SERVING']);
      assert.equal((await one.getModel('topics')).servingVersion, String(RELOADS + 1));
      assert.equal(childProcesses(server.pid).length, before.sessions);
      await until(
        'as many descriptors are open as before',
        () => descriptors(server.pid) <= before.descriptors,
      );
      assert.equal(await server.metric('verdict_instances_lost_total'), 0);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    },
  );
});
