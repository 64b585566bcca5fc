import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { FollowProcess } from '../support/follow-process.js';
import { HubServer } from '../support/hub-server.js';
import { repositoryRoot } from '../support/repository.js';
import { runToEnd } from '../support/run-to-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const plain = join(repositoryRoot, 'test/fixtures/odd-models/plain/1');

/** A copy of a model that a test may change, as a source. */
function exportOf(t: TestContext, model = plain) {
  const folder = join(temporaryFolder(t), 'topic model');
  cpSync(model, folder, { recursive: true });
  return { source: pathToFileURL(folder).href, config: join(folder, 'config.json') };
}

const follow = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runToEnd('dist/src/cli/main.js', ['models', 'follow', ...args], { env });

async function eventOf(ended: ReturnType<typeof follow>): Promise<unknown> {
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).event;
}

describe('verdict models follow', () => {
  it('publishes what changes in a folder, until SIGTERM', async (t) => {
    const models = temporaryFolder(t);
    const { source, config } = exportOf(t);
    const follower = new FollowProcess([source, '--models-dir', models, '--interval-s', '1'], {});
    t.after(() => follower.stop());
    await follower.told('published');
    writeFileSync(config, readFileSync(config, 'utf8').replace('BAD', 'AWFUL'));
    await follower.told('published', 2);
    const versions = follower.events('published').map(({ model, version }) => [model, version]);
    assert.deepEqual(versions, [
      ['topic-model', '1'],
      ['topic-model', '2'],
    ]);
    follower.kill('SIGTERM');
    assert.deepEqual(await follower.exit, { code: 0, signal: null });
    assert.deepEqual(readdirSync(models), ['topic-model']);
  });

  it('knows what it has published from the folder alone, of the Hub too', async (t) => {
    const models = temporaryFolder(t);
    const hub = await HubServer.start();
    t.after(() => hub.stop());
    const files = ['config.json', 'tokenizer.json', 'onnx/model.onnx'].map((path) => [
      path,
      { bytes: readFileSync(join(plain, path)), kept: 'git' },
    ]);
    hub.add('org/name', Object.fromEntries(files));
    const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: temporaryFolder(t) };
    const args = ['mine=hf://org/name', '--models-dir', models, '--once'];
    assert.equal(await eventOf(follow(args, env)), 'published');
    assert.equal(await eventOf(follow(args, env)), 'unchanged');
    assert.deepEqual(readdirSync(join(models, 'mine')), ['1']);
  });

  it('with --once ends with a code for what went wrong', async (t) => {
    const models = temporaryFolder(t);
    const once = ['--models-dir', models, '--once'];
    const bad = exportOf(t, join(repositoryRoot, 'test/fixtures/odd-models/restless/1'));
    const refused = await follow([bad.source, ...once]);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(JSON.parse(refused.stdout).reason, /fp32 weights: .*answers the same/);
    const gone = await follow(['file:///nowhere', ...once]);
    assert.equal(gone.code, 3, gone.stderr);
    assert.match(JSON.parse(gone.stdout).reason, /cannot read \/nowhere: there is no such file/);
    const file = join(models, 'file');
    writeFileSync(file, '');
    const unwritable = await follow([exportOf(t).source, '--models-dir', file, '--once']);
    assert.equal(unwritable.code, 74, unwritable.stderr);
    assert.match(JSON.parse(unwritable.stdout).reason, /cannot write to .*\/file/);
    assert.ok(!existsSync(join(models, '.downloads')));
  });

  const refusals = {
    'no source': [[], /give a source: mlflow:\/\/NAME@ALIAS/],
    'a source that is given twice': [['s3://abc/x', 's3://abc/x'], /s3:\/\/abc\/x is given twice/],
    'a name that is given twice': [['m=s3://abc/x', 'm=s3://abc/y'], /m is given twice/],
    'two sources of one name': [
      ['s3://abc/Topics', 'mlflow://topics@champion'],
      /s3:\/\/abc\/Topics and mlflow:\/\/topics@champion are both called topics: call one otherwise, NAME=SOURCE/,
    ],
    'the path of a folder': [[plain], /a folder to follow is written file:\/\/\/folder/],
    'a source that is misspelt': [['mlflow://x'], /must read mlflow:\/\/NAME@ALIAS/],
    'a source of no known kind': [['gs://bucket/x'], /no source is called gs:\/\/…/],
    'a server without an address': [['mlflow://x@y'], /set MLFLOW_TRACKING_URI/],
    'a name that is none': [['A b=s3://abc/x'], /a model's name must match .*got "A b"/],
    'an interval of years': [['s3://abc/x', '--interval-s', '1e9'], /--interval-s must be 86400 or less/],
    'an interval of nothing': [
      ['s3://abc/x', '--interval-s', '0'],
      /--interval-s must be a number, 1 or more/,
    ],
  } as const;
  for (const [what, [args, message]] of Object.entries(refusals)) {
    it(`refuses ${what} with code 2`, async (t) => {
      const { code, stdout, stderr } = await follow([...args, '--models-dir', temporaryFolder(t)]);
      assert.match(stderr, message);
      assert.deepEqual([code, stdout], [2, '']);
    });
  }
});
