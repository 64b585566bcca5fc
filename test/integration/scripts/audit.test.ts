import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { repositoryRoot } from '../../support/repository.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

const folder = 'node_modules/';

type Answer = (response: ServerResponse, body: string) => void;

/** A registry that knows of vulnerabilities what the test says. */
async function registry(t: TestContext, answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    // What npm would like to know of a package to propose another version.
    if (request.method === 'GET') response.writeHead(404).end('{}');
    else void bodyOf(request).then((body) => answer(response, body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes);
}

const json = (value: unknown): Answer => {
  return (response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
};

const advisory = (severity: string) => ({
  pino: [
    {
      id: 1,
      url: 'https://example.com/1',
      title: 'it is weak',
      severity,
      vulnerable_versions: '*',
      cwe: [],
      cvss: { score: 0, vectorString: null },
    },
  ],
});

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
}

function audit(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: repositoryRoot, env: { ...process.env, ...env }, timeout: 110_000 };
    execFile(process.execPath, ['scripts/audit.mjs', ...args], options, (error, stdout) =>
      resolve({ code: error === null ? 0 : error.code, stdout }),
    );
  });
}

async function vulnerabilities(t: TestContext, answer: Answer, ...flags: string[]): Promise<Ended> {
  const env = { npm_config_registry: await registry(t, answer), npm_config_cache: temporaryFolder(t) };
  return audit(['vulnerabilities', ...flags], env);
}

/** The output of an npm that says this of signatures: the real one asks hosts that no test should ask. */
function signatures(t: TestContext, report: unknown): Promise<Ended> {
  const folder = temporaryFolder(t);
  const npm = join(folder, 'npm');
  writeFileSync(npm, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(report)}\nEND\n`);
  chmodSync(npm, 0o755);
  return audit(['signatures'], { PATH: `${folder}${delimiter}${process.env.PATH}` });
}

describe('the audit of the dependencies', { timeout: 120_000 }, () => {
  it('asks for every package that the service needs at run time, and passes where none is known to be weak', async (t) => {
    let asked: Readonly<Record<string, readonly string[]>> = {};
    const { code, stdout } = await vulnerabilities(t, (response, body) => {
      asked = JSON.parse(body);
      json({})(response, body);
    });
    assert.deepEqual([code, stdout], [0, '# vulnerabilities: 0 packages, 0 of them high or critical\n']);
    const { packages }: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(
      readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8'),
    );
    const wanted = Object.entries(packages)
      .filter(([path, { dev, link }]) => path.startsWith(folder) && dev !== true && link !== true)
      .map(([path, { version }]) => `${path.slice(path.lastIndexOf(folder) + folder.length)} ${version}`);
    const named = Object.entries(asked).flatMap(([name, versions]) =>
      versions.map((one) => `${name} ${one}`),
    );
    assert.deepEqual(named.sort(), [...new Set(wanted)].sort());
  });

  it('fails for what is high or critical, and names it', async (t) => {
    for (const severity of ['high', 'critical']) {
      const { code, stdout } = await vulnerabilities(t, json(advisory(severity)));
      assert.equal(code, 1, stdout);
      assert.match(stdout, new RegExp(`^${severity}: pino \\(https://example.com/1\\)$`, 'm'));
    }
  });

  it('reports what is less', async (t) => {
    const { code, stdout } = await vulnerabilities(t, json(advisory('moderate')));
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^moderate: pino .*\n# vulnerabilities: 1 packages, 0 of them/m);
  });

  it('says what it could not check where the registry refuses, talks nonsense or hangs, and fails nothing', async (t) => {
    const refuses: Answer = (response) => response.writeHead(405).end();
    const nonsense: Answer = (response) => response.end('<html>');
    const hangs: Answer = () => {};
    for (const answer of [refuses, nonsense, hangs]) {
      const { code, stdout } = await vulnerabilities(t, answer, '--timeout-ms', '5000');
      assert.equal(code, 0, stdout);
      assert.match(stdout, /^# not checked: vulnerabilities of the packages at run time: \S/);
    }
  });

  it('fails for a wrong signature, and passes without one', async (t) => {
    const wrong = await signatures(t, { invalid: [{ name: 'pino', version: '1.0.0' }], missing: [] });
    assert.deepEqual(wrong, {
      code: 1,
      stdout: 'wrong signature: pino 1.0.0\n# signatures: 1 wrong, 0 missing\n',
    });
    const right = await signatures(t, { invalid: [], missing: [] });
    assert.deepEqual(right, { code: 0, stdout: '# signatures: 0 wrong, 0 missing\n' });
    const none = await signatures(t, { error: { code: 'ENOTFOUND', summary: 'no such host' } });
    assert.equal(none.code, 0);
    assert.match(none.stdout, /^# not checked: signatures of the packages: no such host$/m);
  });
});
