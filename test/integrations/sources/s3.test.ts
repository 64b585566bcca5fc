import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { VerdictClient } from '../../../clients/typescript/src/index.js';
import { repositoryRoot } from '../../support/repository.js';
import { runToEnd } from '../../support/run-to-end.js';
import { S3Server } from '../../support/s3-server.js';
import { ServerProcess } from '../../support/server-process.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { skipWithout } from '../../support/tool.js';

const CLI = 'dist/src/cli/main.js';
const oddModel = (name: string) => join(repositoryRoot, 'test/fixtures/odd-models', name, '1');

describe('verdict models add s3://', { skip: await skipWithout('rclone') }, () => {
  let s3: S3Server;

  before(async () => {
    s3 = await S3Server.start();
    s3.put(oddModel('plain'), 'models/team/plain');
    s3.put(oddModel('external'), 'models/external');
  });

  after(() => s3.stop());

  const add = (folder: string, source: string, env: Readonly<Record<string, string>> = s3.environment) =>
    runToEnd(CLI, ['models', 'add', source, '--models-dir', join(folder, 'models')], { env });

  it('adds a model of a bucket as the next version of its name, and a server serves it', async (t) => {
    const folder = temporaryFolder(t);
    const { code, stdout, stderr } = await add(folder, 's3://models/team/plain/');
    assert.equal(code, 0, stderr);
    const { name, directory } = JSON.parse(stdout);
    assert.deepEqual([name, directory], ['plain', join(folder, 'models/plain/1')]);
    const origin = JSON.parse(readFileSync(join(directory, 'origin.json'), 'utf8'));
    assert.equal(origin.source, 's3://models/team/plain');
    assert.match(origin.revision, /^[0-9a-f]{64}$/);
    assert.deepEqual(readdirSync(join(folder, 'models')), ['plain']);
    const server = await ServerProcess.start({
      VERDICT_MODELS_DIR: join(folder, 'models'),
      VERDICT_DEFAULT_MODEL: 'plain',
    });
    t.after(() => server.stop());
    const client = new VerdictClient({ address: server.address });
    t.after(() => client.close());
    const { label, version } = await client.classify('a good film');
    assert.deepEqual([label, version], ['GOOD', '1']);
  });

  it('takes weights that are in files beside their graph', async (t) => {
    const folder = temporaryFolder(t);
    const { code, stderr } = await add(folder, 's3://models/external');
    assert.equal(code, 0, stderr);
    assert.ok(readdirSync(join(folder, 'models/external/1/onnx')).includes('model.onnx_data'));
  });

  const refusals = {
    'a bucket that is not there': ['s3://nothere/x', {}, 3, /has no bucket nothere/],
    'a prefix without objects': ['s3://models/nothing', {}, 3, /s3:\/\/models\/nothing holds no objects/],
    'a key that is none': [
      's3://models/team/plain',
      { AWS_ACCESS_KEY_ID: 'AKIAWRONG' },
      3,
      /does not (take|let) these credentials/,
    ],
    'a secret that is wrong': [
      's3://models/team/plain',
      { AWS_SECRET_ACCESS_KEY: 'wrongwrongwrong' },
      3,
      /does not take these credentials \(SignatureDoesNotMatch\)/,
    ],
    'an endpoint where nobody is': [
      's3://models/team/plain',
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' },
      3,
      /cannot read from http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\)/,
    ],
    'a bucket that cannot be one': ['s3://A/x', {}, 2, /must read s3:\/\/bucket or s3:\/\/bucket\/prefix/],
    'a prefix that leads elsewhere': ['s3://models/../x', {}, 2, /must read s3:\/\/bucket/],
  } as const;
  for (const [what, [source, env, expected, message]] of Object.entries(refusals)) {
    it(`refuses ${what} with code ${expected}, and shows no secret`, async (t) => {
      const folder = temporaryFolder(t);
      const { code, stdout, stderr } = await add(folder, source, { ...s3.environment, ...env });
      assert.match(stderr, message);
      assert.deepEqual([code, stdout], [expected, '']);
      assert.doesNotMatch(stderr, /secretsecret|wrongwrong|AKIA|\n {4}at /);
    });
  }

  it('says what is missing where there are no credentials', async (t) => {
    const folder = temporaryFolder(t);
    const { AWS_ENDPOINT_URL, AWS_EC2_METADATA_DISABLED } = s3.environment;
    const env = { AWS_ENDPOINT_URL, AWS_EC2_METADATA_DISABLED, HOME: folder };
    const { code, stderr } = await add(folder, 's3://models/team/plain', env);
    assert.equal(code, 3);
    assert.match(stderr, /no credentials for http:\/\/127\.0\.0\.1:\d+: set AWS_ACCESS_KEY_ID/);
  });
});
