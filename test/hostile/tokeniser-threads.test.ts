import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { endingThreads } from '../support/ending-threads.js';
import { writeLargeTokenizer } from '../support/large-tokenizer.js';
import { count, type Outcomes, outcomeOf } from '../support/outcomes.js';
import { repositoryRoot } from '../support/repository.js';
import { ServedModels } from '../support/served-models.js';
import { ServerProcess } from '../support/server-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const FIXTURE = join(repositoryRoot, 'test/fixtures/models/topics/1');

describe('a start with three models of which two have large tokenizers', () => {
  for (const workers of ['1', '2']) {
    it(`ends, and all of them answer: ${workers} tokeniser threads`, { timeout: 120_000 }, async (t) => {
      const models = temporaryFolder(t);
      for (const name of ['small', 'large-a', 'large-b'])
        await cp(FIXTURE, join(models, name, '1'), { recursive: true });
      const large = join(models, 'large-a/1/tokenizer.json');
      writeLargeTokenizer(join(FIXTURE, 'tokenizer.json'), large);
      await cp(large, join(models, 'large-b/1/tokenizer.json'));
      const server = await ServerProcess.start({
        VERDICT_MODELS_DIR: models,
        VERDICT_DEFAULT_MODEL: 'small',
        VERDICT_TOKENIZER_WORKERS: workers,
      });
      t.after(() => server.stop());
      const client = new VerdictClient({ address: server.address, retry: false });
      t.after(() => client.close());
      for (const model of ['small', 'large-a', 'large-b']) {
        assert.equal((await client.classify('the coach of the team', { model })).label, 'sports');
      }
    });
  }
});

describe('tokeniser threads that are lost under load', () => {
  for (const workers of ['1', '2']) {
    it(`cost no call: ${workers} threads, three models`, { timeout: 120_000 }, async (t) => {
      const path = temporaryFolder(t);
      const served = await ServedModels.start(t, ['topics', 'pairs', 'intent'], {
        ...endingThreads(path),
        VERDICT_TOKENIZER_WORKERS: workers,
      });
      const client = served.client();
      const outcomes: Outcomes = {};
      let stopped = false;
      // A caller that goes on after a failure would keep the process from ending.
      t.after(() => {
        stopped = true;
      });
      let sent = 0;
      const callers = Array.from({ length: 16 }, async () => {
        while (!stopped) {
          const text = `the coach of team ${sent++}${' and more'.repeat(60)}`;
          count(
            outcomes,
            await client.classify(text, { cache: 'bypass' }).then(() => outcomeOf(), outcomeOf),
          );
        }
      });
      let losses = 0;
      for (const word of ['throw', 'exit', 'throw', 'exit', 'spin', 'throw']) {
        await writeFile(join(path, word), '');
        await until(
          `a thread has been lost: ${word}`,
          () => {
            return served.logged('a tokeniser thread was lost and replaced').length > losses;
          },
          60_000,
        );
        losses++;
        const before = outcomes.OK ?? 0;
        await until('calls are answered again', () => (outcomes.OK ?? 0) > before + 100, 60_000);
      }
      stopped = true;
      await Promise.all(callers);
      assert.deepEqual(Object.keys(outcomes), ['OK']);
    });
  }
});
