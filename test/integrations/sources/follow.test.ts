import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { VerdictClient } from '../../../clients/typescript/src/index.js';
import { FollowProcess } from '../../support/follow-process.js';
import { MeddlingProxy } from '../../support/meddling-proxy.js';
import { MlflowServer } from '../../support/mlflow-server.js';
import { repositoryRoot } from '../../support/repository.js';
import { runToEnd } from '../../support/run-to-end.js';
import { S3Server } from '../../support/s3-server.js';
import { ServerProcess } from '../../support/server-process.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { skipWithout } from '../../support/tool.js';
import { until } from '../../support/until.js';

const PATIENCE = 60_000;
const SOURCE = 's3://models/topics';
const topics = join(repositoryRoot, 'test/fixtures/models/topics/1');
const weights = join(topics, 'onnx/model.onnx');

/** What a process that was killed leaves is taken over after that. */
const LOCK_PATIENCE = 40_000;

/** A copy of a model, with another name for its first label. */
async function relabelled(t: TestContext, model: string, label: string): Promise<string> {
  const folder = join(temporaryFolder(t), 'copy');
  await cp(model, folder, { recursive: true });
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  config.id2label['0'] = label;
  writeFileSync(path, JSON.stringify(config));
  return folder;
}

const versionsOf = (models: string, model: string): string[] =>
  existsSync(join(models, model)) ? readdirSync(join(models, model)).sort() : [];

function follow(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): FollowProcess {
  const process = new FollowProcess(['--interval-s', '1', ...args], env);
  t.after(() => process.stop());
  return process;
}

describe('verdict models follow s3://', { skip: await skipWithout('rclone') }, () => {
  let s3: S3Server;

  before(async () => {
    s3 = await S3Server.start();
    s3.put(topics, 'models/topics');
  });

  after(() => s3.stop());

  /** The registry behind a proxy. */
  async function meddled(t: TestContext) {
    const proxy = await MeddlingProxy.start(s3.endpoint);
    t.after(() => proxy.stop());
    return { proxy, env: { ...s3.environment, AWS_ENDPOINT_URL: proxy.endpoint } };
  }

  it('publishes what is new, once, and knows it after a restart', async (t) => {
    const models = temporaryFolder(t);
    s3.put(topics, 'models/changing');
    const args = ['changing=s3://models/changing', '--models-dir', models];
    const first = follow(t, args, s3.environment);
    await first.told('published');
    s3.put(await relabelled(t, topics, 'cooking'), 'models/changing');
    await first.told('published', 2);
    first.kill('SIGTERM');
    assert.deepEqual(await first.exit, { code: 0, signal: null });
    const again = await runToEnd('dist/src/cli/main.js', ['models', 'follow', ...args, '--once'], {
      env: s3.environment,
    });
    assert.equal(again.code, 0, again.stderr);
    assert.equal(JSON.parse(again.stdout).event, 'unchanged');
    assert.deepEqual(versionsOf(models, 'changing'), ['1', '2']);
  });

  it('publishes no version for a file beside the model', async (t) => {
    const models = temporaryFolder(t);
    s3.put(topics, 'models/noted');
    const args = ['s3://models/noted', '--models-dir', models, '--once'];
    const once = () =>
      runToEnd('dist/src/cli/main.js', ['models', 'follow', ...args], { env: s3.environment });
    assert.equal(JSON.parse((await once()).stdout).event, 'published');
    writeFileSync(s3.pathOf('models/noted/README.md'), 'Notes.');
    assert.equal(JSON.parse((await once()).stdout).event, 'unchanged');
    assert.deepEqual(versionsOf(models, 'noted'), ['1']);
    assert.deepEqual(readdirSync(models), ['noted']);
  });

  it('goes on with a download after SIGKILL, and asks for no byte twice', async (t) => {
    const models = temporaryFolder(t);
    const { proxy, env } = await meddled(t);
    const { size } = statSync(weights);
    const half = size >> 1;
    proxy.meddlings.push({ path: 'model.onnx', times: 1, holdAfter: half });
    const killed = follow(t, [SOURCE, '--models-dir', models], env);
    const downloads = join(models, '.downloads/topics');
    const isHalf = () =>
      existsSync(downloads) &&
      readdirSync(downloads).some(
        (name) => name.endsWith('.partial') && statSync(join(downloads, name)).size === half,
      );
    await until('half of the weights are here', isHalf, PATIENCE);
    killed.kill('SIGKILL');
    await killed.exit;
    assert.deepEqual(versionsOf(models, 'topics'), []);
    const next = follow(t, [SOURCE, '--models-dir', models], env);
    await until('a version is published', () => next.events('published').length === 1, LOCK_PATIENCE);
    assert.equal(proxy.bytesAsked('/topics/onnx/model.onnx', size), size + (size - half));
    assert.equal(proxy.bytesAsked('/topics/tokenizer.json', 1), 1);
    assert.deepEqual(readFileSync(join(models, 'topics/1/onnx/model.onnx')), readFileSync(weights));
    next.kill('SIGTERM');
    await next.exit;
    assert.deepEqual(readdirSync(models), ['topics']);
  });

  it('goes on where a transfer is cut, and discards what is damaged', async (t) => {
    const models = temporaryFolder(t);
    const { proxy, env } = await meddled(t);
    proxy.meddlings.push({ path: 'model.onnx', times: 1, cutAfter: 5_000 });
    proxy.meddlings.push({ path: 'model.onnx', times: 1, spoils: true });
    const follower = follow(t, [SOURCE, '--models-dir', models], env);
    await follower.told('published');
    const [trouble, ...others] = follower.events('unreachable');
    assert.match(String(trouble?.reason), /model\.onnx arrived damaged: .*MD5/);
    assert.deepEqual(others, []);
    assert.equal(follower.events('recovered').length, 1);
    assert.deepEqual(readFileSync(join(models, 'topics/1/onnx/model.onnx')), readFileSync(weights));
  });

  it('ends at once on SIGTERM in the middle of a download', async (t) => {
    const models = temporaryFolder(t);
    const { proxy, env } = await meddled(t);
    proxy.meddlings.push({ path: 'model.onnx', times: 1, holdAfter: 10 });
    const follower = follow(t, [SOURCE, '--models-dir', models], env);
    await until(
      'it reads the weights',
      () => proxy.requests.some(({ path, method }) => method === 'GET' && path.includes('model.onnx')),
      PATIENCE,
    );
    follower.kill('SIGTERM');
    assert.deepEqual(await follower.exit, { code: 0, signal: null });
    assert.deepEqual(versionsOf(models, 'topics'), []);
  });

  it('says once that the registry is away, and goes on when it is back', async (t) => {
    const models = temporaryFolder(t);
    const own = await S3Server.start();
    t.after(() => own.stop());
    own.put(topics, 'models/topics');
    const env = { ...own.environment, AWS_MAX_ATTEMPTS: '1' };
    const follower = follow(t, [SOURCE, '--models-dir', models], env);
    await follower.told('published');
    await own.kill();
    await follower.told('unreachable');
    await own.restart();
    await follower.told('recovered');
    assert.equal(follower.events('unreachable').length, 1);
    assert.doesNotMatch(JSON.stringify(follower.log), /secretsecret|AKIA/);
  });

  it('does no harm beside another one of the same folder', async (t) => {
    const models = temporaryFolder(t);
    const args = [SOURCE, '--models-dir', models];
    const both = [follow(t, args, s3.environment), follow(t, args, s3.environment)];
    await until('one publishes', () => both.some((one) => one.events('published').length > 0), PATIENCE);
    s3.put(await relabelled(t, topics, 'cooking'), 'models/topics');
    await until('one publishes again', () => versionsOf(models, 'topics').length >= 2, PATIENCE);
    for (const one of both) {
      one.kill('SIGTERM');
      assert.deepEqual(await one.exit, { code: 0, signal: null });
    }
    assert.deepEqual(versionsOf(models, 'topics'), ['1', '2']);
    assert.deepEqual(
      both.flatMap((one) => one.events('unreachable')),
      [],
    );
    s3.put(topics, 'models/topics');
  });

  it('does not publish what does not pass, and says so once', async (t) => {
    const models = temporaryFolder(t);
    s3.put(join(repositoryRoot, 'test/fixtures/models/broken/1'), 'models/broken');
    const follower = follow(t, ['s3://models/broken', SOURCE, '--models-dir', models], s3.environment);
    await Promise.all([follower.told('refused'), follower.told('published')]);
    s3.put(topics, 'models/broken');
    await follower.told('published', 2);
    assert.equal(follower.events('refused').length, 1);
    assert.deepEqual(versionsOf(models, 'broken'), ['1']);
  });
});

describe('verdict models follow mlflow://', { skip: await skipWithout('python-mlflow-3.17.2') }, () => {
  it('follows an alias, also back, while a server answers a stream without an error', async (t) => {
    const mlflow = await MlflowServer.start();
    t.after(() => mlflow.stop());
    const plain = join(repositoryRoot, 'test/fixtures/odd-models/plain/1');
    const one = await mlflow.register('plain', plain, 'champion');
    const models = join(temporaryFolder(t), 'models');
    const follower = follow(t, ['mlflow://plain@champion', '--models-dir', models], mlflow.environment);
    await follower.told('published');
    const server = await ServerProcess.start({
      VERDICT_MODELS_DIR: models,
      VERDICT_DEFAULT_MODEL: 'plain',
      VERDICT_MODELS_WATCH: 'on',
    });
    t.after(() => server.stop());
    const client = new VerdictClient({ address: server.address, retry: false });
    t.after(() => client.close());

    const stop = new AbortController();
    async function* texts() {
      for (let n = 0; !stop.signal.aborted; n++) {
        yield `a film without much to tell ${n}`;
        await delay(5);
      }
    }
    const versions: string[] = [];
    const streamed = (async () => {
      for await (const result of client.classifyStream(texts())) {
        if (!result.ok) throw result.error;
        versions.push(result.classification.version);
      }
    })();
    /** By calls and in the stream, whose next answer may be later than that of a call. */
    const served = async (version: string) => {
      await until(
        `version ${version} answers a call`,
        async () => (await client.classify('a good film')).version === version,
        PATIENCE,
      );
      await until(`version ${version} answers the stream`, () => versions.includes(version), PATIENCE);
    };
    const two = await mlflow.register('plain', await relabelled(t, plain, 'AWFUL'), 'champion');
    await served('2');
    assert.equal(
      (await client.classify('a bad film')).predictions.some(({ label }) => label === 'AWFUL'),
      true,
    );
    await mlflow.moveAlias('plain', 'champion', one);
    await served('3');
    stop.abort();
    await streamed;
    assert.deepEqual([...new Set(versions)], ['1', '2', '3']);
    const published = follower
      .events('published')
      .map(({ origin }) => (origin as { version: string }).version);
    assert.deepEqual(published, [one, two, one]);
  });
});
