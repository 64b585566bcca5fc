import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/free-port.js';
import { repositoryRoot } from '../support/repository.js';
import { runToEnd } from '../support/run-to-end.js';
import { Service } from '../support/service.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

describe('npm run envoy', { skip: await skipWithout('envoy') }, () => {
  let service: Service;
  const children: ChildProcess[] = [];

  before(async () => {
    service = await Service.start(['topics']);
  });

  after(async () => {
    for (const child of children) {
      if (child.exitCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
    await service.stop();
  });

  /** Starts it, and waits until it has said so much. */
  async function start(env: Record<string, string>, lines: number): Promise<string[]> {
    const script = join(repositoryRoot, 'scripts/envoy.mjs');
    const child = spawn(process.execPath, [script, '--port', '0', '--admin-port', '0'], {
      cwd: repositoryRoot,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const own = () => said.split('\n').filter((line) => line.startsWith('envoy: '));
    await until(
      'the script has said where Envoy is',
      () => {
        assert.equal(child.exitCode, null, said);
        return own().length >= lines;
      },
      30_000,
    );
    return own();
  }

  it('goes to the server of VERDICT_PORT, and says where it listens and what it proxies to', async () => {
    const admin = new URL(service.server.adminUrl).port;
    const said = await start({ VERDICT_PORT: String(service.port), VERDICT_ADMIN_PORT: admin }, 2);
    const [, url = ''] = /^envoy: (http:\S+) takes JSON, gRPC-Web and gRPC/.exec(said[0] ?? '') ?? [];
    assert.ok(said[0]?.endsWith(`sends it to Verdict at 127.0.0.1:${service.port}`), said[0]);
    assert.match(said[1] ?? '', new RegExp(`^envoy: http://localhost:${admin}/docs`));
    await until('Envoy takes the server for healthy', async () => {
      return (await fetch(`${url.replace('localhost', '127.0.0.1')}/v1/models`)).ok;
    });
  });

  it('says what to start where nothing listens', async () => {
    const port = String(await freePort());
    const said = await start({ VERDICT_PORT: port }, 2);
    assert.equal(said[1], `envoy: nothing listens at 127.0.0.1:${port} yet: start Verdict with npm start`);
  });

  it('refuses settings that it cannot follow, with a sentence', async () => {
    for (const [env, args, message] of [
      [{ VERDICT_PORT: '0' }, [], /^envoy: VERDICT_PORT is 0, any free port: Envoy cannot know which\n$/],
      [{ VERDICT_PORT: 'fifty' }, [], /^envoy: VERDICT_PORT is "fifty"/],
      [{}, ['--port', 'x'], /^envoy: --port must be a port/],
    ] as const) {
      const { code, stderr } = await runToEnd('scripts/envoy.mjs', args, { env });
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });
});
