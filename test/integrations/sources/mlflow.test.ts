import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { VerdictClient } from '../../../clients/typescript/src/index.js';
import { MlflowServer } from '../../support/mlflow-server.js';
import { repositoryRoot } from '../../support/repository.js';
import { runToEnd } from '../../support/run-to-end.js';
import { ServerProcess } from '../../support/server-process.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { skipWithout } from '../../support/tool.js';

const CLI = 'dist/src/cli/main.js';
const oddModel = (name: string) => join(repositoryRoot, 'test/fixtures/odd-models', name, '1');

describe('verdict models add mlflow://', { skip: await skipWithout('python-mlflow-3.17.2') }, () => {
  let mlflow: MlflowServer;

  before(async () => {
    mlflow = await MlflowServer.start();
    await mlflow.register('plain', oddModel('plain'), 'champion');
  });

  after(() => mlflow.stop());

  const add = (folder: string, source: string, env: Readonly<Record<string, string>> = mlflow.environment) =>
    runToEnd(CLI, ['models', 'add', source, '--models-dir', join(folder, 'models')], { env });

  it('adds the version that an alias names, and a server serves it', async (t) => {
    const folder = temporaryFolder(t);
    const { code, stdout, stderr } = await add(folder, 'mlflow://plain@champion');
    assert.equal(code, 0, stderr);
    const { directory } = JSON.parse(stdout);
    const { source, alias, version, run } = JSON.parse(readFileSync(join(directory, 'origin.json'), 'utf8'));
    assert.deepEqual([source, alias, version], ['mlflow://plain@champion', 'champion', '1']);
    assert.match(run, /^[0-9a-f]{32}$/);
    assert.deepEqual(readdirSync(join(folder, 'models')), ['plain']);
    const server = await ServerProcess.start({
      VERDICT_MODELS_DIR: join(folder, 'models'),
      VERDICT_DEFAULT_MODEL: 'plain',
    });
    t.after(() => server.stop());
    const client = new VerdictClient({ address: server.address });
    t.after(() => client.close());
    const { label } = await client.classify('a good film');
    assert.equal(label, 'GOOD');
  });

  it('finds a model in a folder of the artifacts', async (t) => {
    const folder = temporaryFolder(t);
    cpSync(oddModel('external'), join(folder, 'logged/verdict'), { recursive: true });
    const version = await mlflow.register('nested', join(folder, 'logged'));
    const { code, stderr } = await add(folder, `mlflow://nested/${version}`);
    assert.equal(code, 0, stderr);
    assert.ok(readdirSync(join(folder, 'models/nested/1/onnx')).includes('model.onnx_data'));
  });

  const refusals = {
    'a model that is not there': ['mlflow://none@champion', {}, 3, /has no none@champion/],
    'an alias that is not there': ['mlflow://plain@none', {}, 3, /has no plain@none/],
    'a version that is not there': ['mlflow://plain/99', {}, 3, /has no plain\/99/],
    'a password that is wrong': [
      'mlflow://plain@champion',
      { MLFLOW_TRACKING_PASSWORD: 'wrongwrongwrong' },
      3,
      /does not take the password of MLFLOW_TRACKING_PASSWORD/,
    ],
    'a name without alias and version': ['mlflow://plain', {}, 2, /must read mlflow:\/\/NAME@ALIAS/],
    'an address with a password': [
      'mlflow://plain@champion',
      { MLFLOW_TRACKING_URI: 'http://admin:wrongwrongwrong@127.0.0.1:9' },
      2,
      /MLFLOW_TRACKING_URI must be an http or https address without credentials/,
    ],
  } as const;
  for (const [what, [source, env, expected, message]] of Object.entries(refusals)) {
    it(`refuses ${what} with code ${expected}, and shows no secret`, async (t) => {
      const folder = temporaryFolder(t);
      const { code, stdout, stderr } = await add(folder, source, { ...mlflow.environment, ...env });
      assert.match(stderr, message);
      assert.deepEqual([code, stdout], [expected, '']);
      assert.doesNotMatch(stderr, /secretsecret|wrongwrong|\n {4}at /);
    });
  }

  it('says which variables are missing where the server is not named, or wants to know who asks', async (t) => {
    const folder = temporaryFolder(t);
    const nowhere = await add(folder, 'mlflow://plain@champion', {});
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /set MLFLOW_TRACKING_URI/);
    const nobody = await add(folder, 'mlflow://plain@champion', { MLFLOW_TRACKING_URI: mlflow.endpoint });
    assert.equal(nobody.code, 3);
    assert.match(nobody.stderr, /wants to know who asks: set MLFLOW_TRACKING_TOKEN/);
  });
});
