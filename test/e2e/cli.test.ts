import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/free-port.js';
import { type Ended, runToEnd } from '../support/run-to-end.js';
import { Service } from '../support/service.js';

describe('verdict, run against a server', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['sentiment', 'topics', 'pairs']);
  });

  after(() => service.stop());

  function verdict(...args: string[]): Promise<Ended> {
    return runToEnd('dist/src/cli/main.js', [...args, '--address', service.server.address]);
  }

  /** The lines of JSON that a command wrote, after it has ended well. */
  async function linesOf(ended: Promise<Ended>): Promise<Record<string, unknown>[]> {
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('classify TEXT answers with one line of JSON in a pipe', async () => {
    const [answer, ...more] = await linesOf(verdict('classify', 'This movie was absolutely fantastic!'));
    assert.deepEqual(more, []);
    const { index, text, label, model, version, cache } = answer ?? {};
    assert.deepEqual(
      [index, text, label, model, version, cache],
      [0, 'This movie was absolutely fantastic!', 'POSITIVE', 'sentiment', '1', 'miss'],
    );
  });

  it('takes several texts, options and the address from the environment', async () => {
    const answers = await linesOf(
      runToEnd(
        'dist/src/cli/main.js',
        ['classify', '--model', 'topics', '--top-k', '2', 'match', 'dinner today'],
        {
          env: { VERDICT_ADDRESS: service.server.address },
        },
      ),
    );
    assert.deepEqual(
      answers.map(({ label, predictions }) => [label, (predictions as unknown[]).length]),
      [
        ['sports', 2],
        ['food', 2],
      ],
    );
  });

  it('classify --pair judges two texts together', async () => {
    const args = ['classify', '--model', 'pairs', 'The team won the match.', '--pair', 'The team won.'];
    const [answer] = await linesOf(verdict(...args));
    assert.deepEqual([answer?.textPair, answer?.tokenCount], ['The team won.', 13]);
  });

  it('classify ends with 1 when the input is refused, and says why', async () => {
    const { code, stdout } = await verdict('classify', ' ');
    assert.equal(code, 1);
    const { error } = JSON.parse(stdout) as { error: { code: string; reason: string } };
    assert.deepEqual([error.code, error.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
  });

  it('ends with 2 for wrong usage, with a hint and without a call', async () => {
    for (const [args, hint] of [
      [['classify'], /give a text, or a file with --input/],
      [['classify', 'a', '--top-k', 'many'], /--top-k/],
      [['classify', 'a', '--nope'], /--nope/],
      [['classify', '--input', '/nowhere/at/all.tsv'], /all\.tsv/],
      [['classify', 'a', 'b', '--pair', 'c'], /--pair needs exactly one text/],
      [['models'], /models list/],
      [['models', 'list', 'me'], /takes no arguments/],
    ] as const) {
      const { code, stdout, stderr } = await verdict(...args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, hint);
    }
  });

  it('ends with 3 when the call fails: no such model, a server out of reach', async () => {
    const unknown = await verdict('classify', 'match', '--model', 'nobody');
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /NOT_FOUND: there is no model nobody/);
    assert.match(unknown.stderr, /models list/);

    const address = `127.0.0.1:${await freePort()}`;
    for (const command of [['classify', 'match'], ['models', 'list'], ['health']]) {
      const away = await runToEnd('dist/src/cli/main.js', [
        ...command,
        '--address',
        address,
        '--timeout-ms',
        '2000',
      ]);
      assert.equal(away.code, 3, away.stderr);
      assert.ok(away.stderr.includes(address), away.stderr);
      assert.equal(away.stdout, '');
    }
  });

  it('runs from the clone by bin/verdict.js, which also starts the server', async () => {
    const bin = (...args: string[]) => runToEnd('bin/verdict.js', args);
    const [answer] = await linesOf(
      bin('classify', '--address', service.server.address, 'This was terrible.'),
    );
    assert.equal(answer?.label, 'NEGATIVE');
    const serve = await bin('serve', '--port', 'fifty');
    assert.equal(serve.code, 2);
    assert.match(serve.stderr, /--port is "fifty": it must be a whole number from 0 to 65535/);
  });

  it('models list tells what the server has', async () => {
    const models = await linesOf(verdict('models', 'list'));
    assert.deepEqual(
      models.map(({ name, isDefault }) => [name, isDefault]),
      [
        ['pairs', false],
        ['sentiment', true],
        ['topics', false],
      ],
    );
  });

  it('models verify checks a folder without a server: 0 when all is well, 1 when not', async () => {
    const verify = (model: string) =>
      runToEnd('dist/src/cli/main.js', ['models', 'verify', `test/fixtures/models/${model}/1`]);
    const [good, broken] = await Promise.all([verify('topics'), verify('broken')]);
    assert.equal(good.code, 0, good.stderr + good.stdout);
    assert.equal(broken.code, 1, broken.stderr);
    const checks = broken.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { ok: boolean; detail: string });
    assert.ok(
      checks.some(({ ok, detail }) => !ok && detail.includes('labels')),
      broken.stdout,
    );
    assert.ok(checks.some(({ ok }) => ok));
  });

  it('health tells whether the server serves, by its exit code too', async () => {
    const well = await verdict('health');
    assert.deepEqual([well.code, JSON.parse(well.stdout)], [0, { service: '', status: 'serving' }]);
    const unknown = await verdict('health', 'models/nobody');
    assert.deepEqual(
      [unknown.code, JSON.parse(unknown.stdout)],
      [1, { service: 'models/nobody', status: 'service_unknown' }],
    );
  });
});
