import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { COMMANDS } from '../../../src/cli/commands.js';
import { run } from '../../../src/cli/run.js';
import { classification, startTestServer } from '../client/test-server.js';
import { type FakeContext, fakeContext } from './fake-context.js';

async function runLine(argv: readonly string[], context: FakeContext = fakeContext()) {
  const served: string[][] = [];
  const serve = async (flags: string[]) => {
    served.push(flags);
    return 7;
  };
  const code = await run(argv, { version: '1.2.3', commands: COMMANDS, serve }, context);
  return { code, served, out: context.out(), err: context.err() };
}

test('serve gets its flags as they are, --help among them, and its exit code counts', async () => {
  const { code, served } = await runLine(['serve', '--port', '0', '--help']);
  assert.equal(code, 7);
  assert.deepEqual(served, [['--port', '0', '--help']]);
});

test('--version prints the version', async () => {
  assert.deepEqual(await runLine(['--version']), { code: 0, served: [], out: '1.2.3\n', err: '' });
});

test('--help lists every command', async () => {
  const { code, out } = await runLine(['--help']);
  assert.equal(code, 0);
  for (const name of ['serve', ...COMMANDS.map((entry) => entry.name)])
    assert.match(out, new RegExp(`^  ${name} `, 'm'));
});

for (const entry of COMMANDS) {
  test(`${entry.name} --help tells all its flags, and so does help ${entry.name}`, async () => {
    const { code, out } = await runLine([...entry.name.split(' '), '--help']);
    assert.equal(code, 0);
    const { flags, examples } = await entry.load();
    for (const flag of Object.keys(flags)) assert.match(out, new RegExp(`^  --${flag}( |$)`, 'm'));
    assert.ok(examples.length > 0);
    assert.equal((await runLine(['help', ...entry.name.split(' ')])).out, out);
  });
}

test('Nothing at all shows the overview, as an error', async () => {
  const { code, err } = await runLine([]);
  assert.equal(code, 2);
  assert.match(err, /^Usage: verdict/m);
});

test('An unknown command is an error; half a command says what could follow', async () => {
  const unknown = await runLine(['clasify', 'x']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /unknown command "clasify"/);
  assert.match(
    (await runLine(['models'])).err,
    /verdict models list, verdict models stats, verdict models reload, verdict models load, verdict models unload, verdict models traffic, verdict models alias, verdict models shadow, verdict models compare, verdict models rollback, verdict models add, verdict models follow, verdict models verify/,
  );
});

test('A wrong flag is told with the way to the right ones', async () => {
  const { code, err } = await runLine(['classify', '--adress', 'x', 'text']);
  assert.equal(code, 2);
  assert.match(err, /--adress.*--address/);
  assert.match(err, /verdict classify --help/);
});

test('A server that is not there is told as such, with the way to start one', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  assert.ok(address !== null && typeof address === 'object');
  probe.close();
  const { code, err } = await runLine(['health', '--address', `127.0.0.1:${address.port}`]);
  assert.equal(code, 3);
  assert.match(
    err,
    new RegExp(`cannot reach a server at 127.0.0.1:${address.port} \\(connection refused\\)`),
  );
  assert.match(err, /npx verdict serve/);
});

test('health ends with 0 for a server that serves and with 1 for one that does not', async () => {
  const server = await startTestServer({ health: (service) => (service === '' ? 'serving' : 'not_serving') });
  const env = { VERDICT_ADDRESS: server.address };
  assert.deepEqual(await runLine(['health'], fakeContext({ env, isTTY: true })), {
    code: 0,
    served: [],
    out: 'serving\n',
    err: '',
  });
  const { code, out } = await runLine(['health', 'models/a'], fakeContext({ env }));
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(out), { service: 'models/a', status: 'not_serving' });
  server.close();
});

test('VERDICT_API_KEY is sent unless the line says who calls', async () => {
  const seen: unknown[] = [];
  const server = await startTestServer({
    classify: ({ metadata }) => {
      seen.push([metadata.get('authorization')[0], metadata.get('x-api-key')[0]]);
      return { classification: classification() };
    },
  });
  const env = { VERDICT_ADDRESS: server.address, VERDICT_API_KEY: 'vk_variable' };
  for (const flags of [
    [],
    ['--api-key', 'vk_flag'],
    ['--metadata', 'x-team=search'],
    ['--metadata', 'Authorization=Bearer vk_header'],
    ['--metadata', 'x-api-key=vk_header'],
  ])
    assert.equal((await runLine(['classify', ...flags, 'x'], fakeContext({ env }))).code, 0);
  server.close();
  assert.deepEqual(seen, [
    ['Bearer vk_variable', undefined],
    ['Bearer vk_flag', undefined],
    ['Bearer vk_variable', undefined],
    ['Bearer vk_header', undefined],
    [undefined, 'vk_header'],
  ]);
});
