import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { childProcesses, isAlive } from '../support/child-processes.js';
import { type HubContent, HubServer } from '../support/hub-server.js';
import { repositoryRoot } from '../support/repository.js';
import { type Ended, runToEnd } from '../support/run-to-end.js';
import { ServerProcess } from '../support/server-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const CLI = 'dist/src/cli/main.js';
const TOKEN = 'hf_secretsecret';
const oddModel = (name: string) => join(repositoryRoot, 'test/fixtures/odd-models', name, '1');

/** A folder of a model as a repository of the Hub, with its weights on the other host. */
function repositoryOf(folder: string): Record<string, HubContent> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    paths.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const kept = path.includes('.onnx') ? 'lfs' : 'git';
      return [path.slice(folder.length + 1), { bytes: readFileSync(path), kept }];
    }),
  );
}

/** All that is in a models folder, hidden folders too. */
const everythingIn = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : []);

describe('verdict models add', () => {
  let hub: HubServer;

  before(async () => {
    hub = await HubServer.start();
    hub.add('org/Plain_Model', repositoryOf(oddModel('plain')));
    hub.add('org/external', repositoryOf(oddModel('external')));
  });

  after(() => hub.stop());

  const environment = (folder: string) => ({
    HF_ENDPOINT: hub.endpoint,
    HF_TOKEN: TOKEN,
    HF_HOME: join(folder, 'hf'),
  });

  const add = (folder: string, ...args: string[]): Promise<Ended> =>
    runToEnd(CLI, ['models', 'add', ...args, '--models-dir', join(folder, 'models')], {
      env: environment(folder),
    });

  async function cardOf(ended: Promise<Ended>): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('adds a model of the Hub as the next version of its name, and a server serves it', async (t) => {
    const folder = temporaryFolder(t);
    const card = await cardOf(add(folder, 'hf://org/Plain_Model'));
    const { name, directory, commit, family, labels, maxTokens } = card;
    assert.deepEqual(
      { name, directory, commit, family, labels, maxTokens },
      {
        name: 'plain_model',
        directory: join(folder, 'models/plain_model/1'),
        commit: HubServer.commit,
        family: 'bert',
        labels: ['BAD', 'GOOD'],
        maxTokens: 64,
      },
    );
    const origin = JSON.parse(readFileSync(join(String(directory), 'origin.json'), 'utf8'));
    const { source, commit: noted, sha256 } = origin;
    assert.deepEqual([source, noted], ['hf://org/Plain_Model', HubServer.commit]);
    assert.deepEqual(Object.keys(sha256), ['config.json', 'onnx/model.onnx', 'tokenizer.json']);
    const again = await cardOf(add(folder, 'hf://org/Plain_Model'));
    assert.equal(again.directory, join(folder, 'models/plain_model/2'));
    assert.deepEqual(everythingIn(join(folder, 'models')), ['plain_model']);
    const settings = { VERDICT_MODELS_DIR: join(folder, 'models'), VERDICT_DEFAULT_MODEL: 'plain_model' };
    const server = await ServerProcess.start(settings);
    t.after(() => server.stop());
    const client = new VerdictClient({ address: server.address });
    t.after(() => client.close());
    const { label, version } = await client.classify('a good film');
    assert.deepEqual([label, version], ['GOOD', '2']);
  });

  it('takes weights that are in files beside their graph', async (t) => {
    const folder = temporaryFolder(t);
    const { directory } = await cardOf(add(folder, 'hf://org/external'));
    assert.ok(existsSync(join(String(directory), 'onnx/model.onnx_data')));
  });

  it("takes Optimum's flat export, and makes a tokenizer of a vocab.txt", async (t) => {
    const folder = temporaryFolder(t);
    const flat = join(folder, 'My Export');
    cpSync(oddModel('plain'), flat, { recursive: true });
    cpSync(join(flat, 'onnx/model.onnx'), join(flat, 'model.onnx'));
    rmSync(join(flat, 'onnx'), { recursive: true });
    const tokenizer = JSON.parse(readFileSync(join(flat, 'tokenizer.json'), 'utf8'));
    const tokens = Object.entries<number>(tokenizer.model.vocab).sort(([, a], [, b]) => a - b);
    writeFileSync(join(flat, 'vocab.txt'), tokens.map(([token]) => `${token}\n`).join(''));
    rmSync(join(flat, 'tokenizer.json'));
    const { name, directory } = await cardOf(add(folder, flat));
    assert.equal(name, 'my-export');
    assert.deepEqual(readdirSync(String(directory)).sort(), ['config.json', 'onnx', 'tokenizer.json']);
  });

  it('leaves no half model when it is killed, and goes on from there', async (t) => {
    const folder = temporaryFolder(t);
    const models = join(folder, 'models');
    hub.requests.length = 0;
    const { bytes } = repositoryOf(oddModel('plain'))['onnx/model.onnx'] ?? {};
    assert.ok(bytes);
    // The connection stays open after half of the file.
    hub.faults.push({ path: 'storage/', times: 1, cutAfter: bytes.length >> 1, holds: true });
    const child = spawn(
      process.execPath,
      [join(repositoryRoot, CLI), 'models', 'add', 'hf://org/Plain_Model', '--models-dir', models],
      { env: { PATH: process.env.PATH, ...environment(folder) }, stdio: 'ignore' },
    );
    const blobs = join(folder, 'hf/hub/models--org--Plain_Model/blobs');
    const half = () =>
      everythingIn(blobs).some(
        (name) =>
          name.endsWith('.incomplete') && readFileSync(join(blobs, name)).length === bytes.length >> 1,
      );
    await until('half of the weights are here', half);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok(everythingIn(models).every((name) => name.startsWith('.')));
    hub.requests.length = 0;
    await cardOf(add(folder, 'hf://org/Plain_Model'));
    assert.deepEqual(everythingIn(models), ['plain_model']);
    assert.ok(hub.requests.some(({ range }) => range?.startsWith(`bytes=${bytes.length >> 1}-`)));
  });

  it('ends with 130 on Ctrl-C, and adds nothing', async (t) => {
    const folder = temporaryFolder(t);
    hub.faults.push({ path: 'storage/', times: 1, silent: true });
    hub.requests.length = 0;
    const child = spawn(
      process.execPath,
      [
        join(repositoryRoot, CLI),
        'models',
        'add',
        'hf://org/Plain_Model',
        '--models-dir',
        join(folder, 'models'),
      ],
      { env: { PATH: process.env.PATH, ...environment(folder) }, stdio: 'ignore' },
    );
    const ended = once(child, 'exit');
    await until('it waits for the weights', () => hub.requests.some(({ host }) => host === 'storage'));
    child.kill('SIGINT');
    assert.deepEqual(await ended, [130, null]);
    assert.deepEqual(everythingIn(join(folder, 'models')), []);
  });

  it('ends with 130 on Ctrl-C while it checks a model, and leaves no session behind', async (t) => {
    const folder = temporaryFolder(t);
    const slow = join(repositoryRoot, 'test/fixtures/models/slow/1');
    const args = ['models', 'add', slow, '--models-dir', join(folder, 'models')];
    const child = spawn(process.execPath, [join(repositoryRoot, CLI), ...args], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let written = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        written += text;
      });
    }
    const ended = once(child, 'close');
    await until('a session is tried', () => childProcesses(child.pid ?? 0).length > 0);
    const sessions = childProcesses(child.pid ?? 0);
    child.kill('SIGINT');
    assert.deepEqual(await ended, [130, null]);
    assert.match(written, /interrupted: nothing was added/);
    assert.deepEqual(everythingIn(join(folder, 'models')), []);
    assert.deepEqual(sessions.filter(isAlive), []);
  });

  it('names the file of the cache that cannot grow', async (t) => {
    const folder = temporaryFolder(t);
    hub.add('org/large', {
      ...repositoryOf(oddModel('plain')),
      'tokenizer.json': { bytes: Buffer.alloc(200_000), kept: 'git' },
    });
    const command = `ulimit -f 100; exec "$0" "$@"`;
    const args = [process.execPath, join(repositoryRoot, CLI), 'models', 'add', 'hf://org/large'];
    const child = spawn('sh', ['-c', command, ...args, '--models-dir', join(folder, 'models')], {
      env: { PATH: process.env.PATH, ...environment(folder) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    assert.equal(code, 74, complaint);
    assert.match(
      complaint,
      /cannot write to .*blobs\/[0-9a-f]{40}\.\d+\.incomplete: the file would become too large/,
    );
    assert.deepEqual(everythingIn(join(folder, 'models')), []);
  });

  it('refuses weights that are a pointer of Git LFS, as the server does, in words about the source', async (t) => {
    const folder = temporaryFolder(t);
    const cloned = join(folder, 'cloned');
    cpSync(oddModel('plain'), cloned, { recursive: true });
    writeFileSync(
      join(cloned, 'onnx/model.onnx'),
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
    );
    const { code, stderr } = await add(folder, cloned);
    assert.equal(code, 2);
    assert.match(stderr, /cloned\/onnx\/model\.onnx: is a Git LFS pointer: fetch the real file/);
  });

  it('says which version cannot be published', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'models'));
    writeFileSync(join(folder, 'models/plain'), '');
    const { code, stderr } = await add(folder, oddModel('plain'));
    assert.equal(code, 74);
    assert.match(stderr, /cannot write to .*\/models\/plain: /);
    assert.deepEqual(everythingIn(join(folder, 'models')), ['plain']);
  });

  it('adds nothing that does not pass, and says why', async (t) => {
    const folder = temporaryFolder(t);
    const { code, stdout, stderr } = await add(folder, oddModel('restless'));
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /does not pass, and was not added:\n {2}fp32 weights: .*restless\/1\/onnx\/model\.onnx: answers the same/,
    );
    assert.deepEqual(everythingIn(join(folder, 'models')), []);
  });

  const refusals = {
    'no source': [[], 2, /give one source/],
    'a folder that is not there': [
      ['/nowhere'],
      2,
      /cannot read \/nowhere: there is no such file or directory/,
    ],
    "a name of the Hub's without hf://": [
      ['org/name'],
      2,
      /cannot read .*org\/name: there is no such file.*written hf:\/\/org\/name/,
    ],
    "an address of the Hub's": [['https://huggingface.co/org/name'], 2, /is written hf:\/\/org\/name/],
    'a precision that is none': [
      ['.', '--precision', 'int4'],
      2,
      /--precision must be one of fp32, int8, fp16; got "int4"/,
    ],
    'a name that is none': [[oddModel('plain'), '--name', 'A b'], 2, /--name cannot be "A b"/],
    'a repository that is not there': [['hf://org/none'], 3, /has no org\/none, or HF_TOKEN is not valid/],
  } as const;
  for (const [what, [args, expected, message]] of Object.entries(refusals)) {
    it(`refuses ${what} with code ${expected}, and shows no token`, async (t) => {
      const { code, stdout, stderr } = await add(temporaryFolder(t), ...args);
      assert.deepEqual([code, stdout], [expected, '']);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /hf_secret|\n {4}at /);
    });
  }

  it('says which folder cannot be written to', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'models'));
    writeFileSync(join(folder, 'models/models'), '');
    const target = join(folder, 'models/models');
    const { code, stderr } = await runToEnd(CLI, [
      'models',
      'add',
      oddModel('plain'),
      '--models-dir',
      target,
    ]);
    assert.equal(code, 74);
    assert.match(stderr, /cannot write to .*models\/models/);
  });
});
