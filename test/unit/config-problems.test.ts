import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ConfigError } from '../../src/config/config-error.js';
import { type Config, loadConfig } from '../../src/config.js';
import { Authority } from '../support/certificates.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'verdict-config-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

function load(argv: string[] = [], env: Record<string, string> = {}): Promise<Config> {
  return loadConfig({ argv, env, cwd });
}

/** The problems that stop a start. */
async function problems(argv: string[], env: Record<string, string> = {}): Promise<readonly string[]> {
  try {
    await load(argv, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.message, error.problems.join('\n'));
    return error.problems;
  }
  assert.fail('the start was not stopped');
}

describe('what is wrong stops the start', () => {
  it('names the flag, the value and what is allowed', async () => {
    assert.deepEqual(await problems(['--port', '99999']), [
      '--port is 99999: it must be a whole number from 0 to 65535.',
    ]);
  });

  it('names the variable', async () => {
    assert.deepEqual(await problems([], { VERDICT_DEVICE: 'gpu', VERDICT_STREAM_WINDOW: '6.5' }), [
      'VERDICT_DEVICE is "gpu": it must be one of auto, cpu, cuda.',
      'VERDICT_STREAM_WINDOW is "6.5": it must be a whole number from 1 to 4096 (inputs).',
    ]);
  });

  it('tells a share from what is none', async () => {
    for (const value of ['0', '1', '0.001', ' 0.5 '])
      assert.equal((await load(['--tracing-sample-ratio', value])).tracing.sampleRatio, Number(value));
    for (const value of ['1.5', '-0.1', '1%', '.', '1e-3', 'half'])
      assert.deepEqual(await problems(['--tracing-sample-ratio', value]), [
        `--tracing-sample-ratio is ${/^-?[\d.]+\d$/.test(value) ? value : JSON.stringify(value)}: it must be a number from 0 to 1.`,
      ]);
  });

  it('takes what OpenTelemetry calls its settings, and does not print headers', async () => {
    const { tracing } = await load([], {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317/',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc,x-tenant=1',
      OTEL_SERVICE_NAME: 'classifier',
    });
    assert.deepEqual(
      [tracing.endpoint, tracing.headers, tracing.serviceName],
      ['http://collector:4317/', 'authorization=Bearer%20abc,x-tenant=1', 'classifier'],
    );
    const unusable = ['a=secret%0A', 'a=%ffsecret', 'a=%C3%BCsecret', 'secret-bin=1'];
    for (const headers of ['secret', '=secret', 'a=%secret', 'a=1,,b=2', ...unusable])
      assert.deepEqual(await problems([], { OTEL_EXPORTER_OTLP_HEADERS: headers }), [
        'OTEL_EXPORTER_OTLP_HEADERS is not usable: it must be names and values, separated by commas: authorization=Bearer%20TOKEN.',
      ]);
  });

  it('tells networks from what is none', async () => {
    const allowed = ['10.0.0.0/8', '::1', '192.0.2.1, 2001:db8::/32', '0.0.0.0/0'];
    for (const value of allowed) {
      assert.equal((await load(['--trusted-proxies', value])).server.trustedProxies, value);
    }
    const wrong = [
      'proxy.example',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      '10.0.0.1,,10.0.0.2',
    ];
    for (const value of wrong) {
      assert.deepEqual(await problems(['--trusted-proxies', value]), [
        `--trusted-proxies is "${value}": it must be addresses and networks, separated by commas: 10.0.0.0/8,::1.`,
      ]);
    }
  });

  it('names the variable in .env', async () => {
    writeFileSync(join(cwd, '.env'), 'VERDICT_PORT=http\n');
    assert.deepEqual(await problems([]), [
      'VERDICT_PORT in .env is "http": it must be a whole number from 0 to 65535.',
    ]);
  });

  it('names the key and the file', async () => {
    writeFileSync(join(cwd, 'a.yaml'), 'server: { port: true }');
    assert.deepEqual(await problems(['--config', 'a.yaml']), [
      'server.port in a.yaml is true: it must be a whole number from 0 to 65535.',
    ]);
  });

  it('tells of a wrong value that a stronger source hides', async () => {
    assert.equal((await problems(['--port', '1'], { VERDICT_PORT: 'x' })).length, 1);
  });

  it('tells everything at once', async () => {
    const all = await problems(['--port', 'x', '--bogus=1', 'spare'], { VERDICT_INSTANCES: '65' });
    assert.equal(all.length, 4);
  });

  it('suggests the nearest name for an unknown flag, variable or key', async () => {
    writeFileSync(join(cwd, 'a.yaml'), 'limits: { maxTextChar: 5 }\nservers: {}');
    assert.deepEqual(
      await problems(['--prot', '1', '--config', 'a.yaml'], { VERDICT_MAX_BATCH_INPUT: '1' }),
      [
        '--prot is not a flag. Did you mean --port?',
        'VERDICT_MAX_BATCH_INPUT is not a setting. Did you mean VERDICT_MAX_BATCH_INPUTS?',
        'limits.maxTextChar in a.yaml is not a setting. Did you mean limits.maxTextChars?',
        'servers in a.yaml is not a section. Did you mean server?',
      ],
    );
  });

  it('suggests nothing where nothing is near', async () => {
    assert.deepEqual(await problems(['--colour', 'red']), ['--colour is not a flag.']);
  });

  it('wants a value for a flag, and does not take the next flag for it', async () => {
    const wanted = '--host needs a value: a host name or an address, without a port.';
    assert.deepEqual(await problems(['--host']), [wanted]);
    assert.deepEqual(await problems(['--host', '--port', '1']).then((all) => all[0]), wanted);
  });

  it('takes no positional arguments', async () => {
    assert.deepEqual(await problems(['spare']), ['Unexpected argument "spare".']);
  });

  it('takes nothing but a plain HTTP address for the page of the API', async () => {
    for (const good of ['http://localhost:8080', 'https://api.example.org/verdict', 'http://[::1]:80']) {
      assert.equal((await load(['--docs-api-url', good])).admin.docsApiUrl, good);
    }
    for (const bad of [
      'localhost:8080',
      'ftp://a',
      'http://a/',
      'http://u:p@a',
      'http://a?b',
      'http://a#b',
      "http://a;script-src'*'",
      'http://a, http://b',
      'http://',
    ]) {
      assert.match((await problems(['--docs-api-url', bad])).join(), /docs-api-url/, bad);
    }
  });

  it('never shows a Redis password', async () => {
    const bad = 'redis://:hunter2@host,nonsense://:hunter2@host';
    for (const all of [
      await problems(['--redis-url', bad]),
      await problems([], { REDIS_URL: 'hunter2' }),
      await problems([], { REDIS_URL: 'redis://:hunter2@a/not-a-number' }),
      await problems([], { REDIS_URL: 'redis://:hunter2%@a' }),
      await problems([], { REDIS_URL: 'redis://:hunter2%ff@a' }),
      await problems([], { REDIS_URL: 'redis://:hunter2@a,redis://:hunter2@b' }),
    ]) {
      assert.match(all.join(), /REDIS_URL|--redis-url/);
      assert.doesNotMatch(all.join(), /hunter2/);
    }
  });

  it('never shows the secret of the cache', async () => {
    const short = 'hunter2'.repeat(4);
    writeFileSync(join(cwd, 'secret.yaml'), `cache: { secret: ${short} }`);
    writeFileSync(join(cwd, 'nested.yaml'), `cache: { secret: { value: ${short} } }`);
    writeFileSync(join(cwd, 'broken.yaml'), `cache: { secret: "${short} }`);
    for (const all of [
      await problems(['--cache-secret', short]),
      await problems([`--cache-secret=${short}`]),
      await problems([], { VERDICT_CACHE_SECRET: short }),
      await problems([], { VERDICT_CACHE_SECRET: 'hunter2 '.repeat(8) }),
      await problems([], { VERDICT_CACHE_SECRET: 'hunter2é'.repeat(8) }),
      await problems([], { VERDICT_CACHE_SECRET: 'hunter2'.repeat(40) }),
      await problems(['--config', 'secret.yaml']),
      await problems(['--config', 'nested.yaml']),
    ]) {
      assert.match(
        all.join(),
        /^\S+( in \S+)? is not usable: it must be 32 to 256 printable ASCII characters without spaces\.$/,
      );
    }
    assert.doesNotMatch((await problems(['--config', 'broken.yaml'])).join(), /hunter2/);
  });

  it('says which configuration file cannot be read, or where it is not YAML, without quoting it', async () => {
    assert.match(
      (await problems(['--config', 'none.yaml'])).join(),
      /none\.yaml cannot be read: .+ \(ENOENT\)\.$/,
    );
    writeFileSync(join(cwd, 'bad.yaml'), 'server: {}\nredis: { url: "redis://:hunter2@a }');
    assert.match(
      (await problems(['--config', 'bad.yaml'])).join(),
      /^bad\.yaml is not valid YAML: \w+ at line 2\.$/,
    );
    writeFileSync(join(cwd, 'list.yaml'), '- 1');
    assert.match((await problems(['--config', 'list.yaml'])).join(), /must hold a mapping of sections/);
    writeFileSync(join(cwd, 'flat.yaml'), 'server: 5');
    assert.match(
      (await problems(['--config', 'flat.yaml'])).join(),
      /server in flat\.yaml must be a mapping/,
    );
  });
});

describe('a YAML file that is made to hurt', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level++) {
    const [name, before] = ['abcdefghi'.charAt(level), 'abcdefghi'.charAt(level - 1)];
    bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`);
  }
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['multiplies by aliases', bomb.join('\n'), /^a\.yaml is not usable YAML: an alias .* multiply/],
    ['names what it has not', 'server: *nothing', /^a\.yaml is not usable YAML: an alias .* has no anchor/],
    ['is nested deeply', '['.repeat(100_000), /^a\.yaml is not (usable|valid) YAML/],
    [
      'holds itself',
      'server: &s { port: *s }',
      /^server\.port in a\.yaml is a mapping: it must be a whole number/,
    ],
    ['has a list for a number', 'server: { port: [1] }', /^server\.port in a\.yaml is a list: it must be/],
    [
      'is large',
      `# ${'x'.repeat(1024 * 1024)}`,
      /^The configuration file a\.yaml cannot be read: it is larger/,
    ],
  ];
  for (const [what, content, expected] of cases) {
    it(`is told in a sentence where it ${what}`, async () => {
      writeFileSync(join(cwd, 'a.yaml'), content);
      assert.match((await problems(['--config', 'a.yaml'])).join('\n'), expected);
    });
  }

  it('is read no further than settings go, whatever it is', async () => {
    assert.match((await problems(['--config', '/dev/zero'])).join(), /larger than 1048576 bytes/);
    assert.match((await problems(['--config', cwd])).join(), /it is a directory \(EISDIR\)/);
  });
});

describe('a cache of its own for each caller', () => {
  it('needs callers that have names', async () => {
    const own = ['--cache-sharing', 'own'];
    assert.deepEqual(await problems(own), [
      '--cache-sharing is own: it needs VERDICT_API_KEYS_FILE or VERDICT_JWT_ISSUER.',
    ]);
    const tokens = ['--jwt-issuer', 'i', '--jwt-audience', 'a', '--jwks-url', 'https://example.org/keys'];
    assert.equal((await load([...own, ...tokens])).cache.sharing, 'own');
    assert.equal((await load(['--cache-sharing', 'off'])).cache.sharing, 'off');
  });
});

describe('a file that a setting names', () => {
  it('is looked at before the start, and the setting named', async () => {
    writeFileSync(join(cwd, 'text.pem'), 'hello');
    writeFileSync(join(cwd, 'long.pem'), Buffer.alloc(2 ** 20 + 1));
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    writeFileSync(join(cwd, 'bad.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['--redis-ca-file', 'none.pem', /it cannot be read: there is no such file or directory \(ENOENT\)\.$/],
      ['--redis-ca-file', '.', /it cannot be read: it is a directory \(EISDIR\)\.$/],
      ['--redis-ca-file', 'text.pem', /it holds no certificate in PEM/],
      ['--redis-ca-file', 'bad.pem', /it holds a certificate, number 1, that cannot be read/],
      ['--redis-ca-file', 'long.pem', /larger than/],
      ['--redis-ca-file', '/dev/zero', /it is not a regular file\.$/],
      ['--redis-ca-file', 'pipe', /it is not a regular file\.$/],
      ['--trace-arrivals', '.', /it is a directory\.$/],
      ['--trace-arrivals', 'none/trace', /it cannot be written: there is no such file or directory/],
      ['--trace-arrivals', 'text.pem/trace', /it cannot be written: a part of the path is not a directory/],
    ];
    for (const [flag, path, expected] of cases) {
      const [problem = '', ...others] = await problems([flag, path]);
      assert.ok(problem.startsWith(`${flag} is "${path}": `), problem);
      assert.match(problem, expected);
      assert.deepEqual(others, []);
    }
    assert.match(
      (await problems([], { VERDICT_REDIS_CA_FILE: 'x' })).join(),
      /^VERDICT_REDIS_CA_FILE is "x"/,
    );
  });

  it('may be written to where there is none yet', async () => {
    assert.equal((await load(['--trace-arrivals', 'trace'])).log.traceArrivals, join(cwd, 'trace'));
  });
});

describe('the files of TLS', () => {
  const authority = new Authority();
  const now = Date.now();
  const good = authority.issue({ name: 'server' });
  const expired = authority.issue({ name: 'server', to: new Date(now - 1000) });
  const locked = createPrivateKey(good.key).export({
    ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  });
  const cases: readonly (readonly [
    string,
    { cert?: string; key?: string; ca?: string },
    readonly RegExp[],
  ])[] = [
    ['good ones', {}, []],
    [
      'a key of another',
      { key: expired.key },
      [/^--tls-key is "key": it does not belong to the certificate\.$/],
    ],
    ['an expired one', expired, [/^--tls-cert is "cert": it holds a certificate that expired on \S+Z\.$/]],
    ['a locked key', { key: String(locked) }, [/^--tls-key is "key": it holds a key that is locked/]],
    ['a key as certificate', { cert: good.key }, [/^--tls-cert is "cert": it holds no certificate in PEM/]],
    [
      'nothing good',
      { cert: 'x', key: 'x', ca: 'x' },
      [/^--tls-cert .* no certificate/, /^--tls-key .* no private key/, /^--tls-client-ca .* no certificate/],
    ],
  ];
  for (const [name, { cert = good.cert, key = good.key, ca = authority.cert }, expected] of cases) {
    it(`are checked before the start: ${name}`, async () => {
      for (const [file, content] of Object.entries({ cert, key, ca }))
        writeFileSync(join(cwd, file), content);
      const argv = ['--tls-cert', 'cert', '--tls-key', 'key', '--tls-client-ca', 'ca'];
      if (expected.length === 0) {
        const { tls } = await load(argv);
        assert.deepEqual(
          [tls.cert, tls.key, tls.clientCa],
          ['cert', 'key', 'ca'].map((file) => join(cwd, file)),
        );
        return;
      }
      const found = await problems(argv);
      assert.equal(found.length, expected.length, found.join('\n'));
      for (const [n, pattern] of expected.entries()) assert.match(found[n] ?? '', pattern);
    });
  }

  it('are named one by one where they cannot be read', async () => {
    assert.deepEqual(
      (await problems(['--tls-cert', 'none', '--tls-key', '.'])).map((problem) => problem.slice(0, 50)),
      [
        '--tls-cert is "none": it cannot be read: there is ',
        '--tls-key is ".": it cannot be read: it is a direc',
      ],
    );
  });

  it('come together', async () => {
    assert.deepEqual(
      [...(await problems(['--tls-cert', 'x'])), ...(await problems(['--tls-client-ca', 'x']))],
      [
        '--tls-cert is set: it needs VERDICT_TLS_KEY as well.',
        '--tls-client-ca is set: it needs VERDICT_TLS_CERT and VERDICT_TLS_KEY.',
      ],
    );
  });
});

describe('settings that must fit each other', () => {
  const cases: readonly (readonly [string, string[], RegExp])[] = [
    [
      'one port for both servers',
      ['--port', '9464'],
      /VERDICT_ADMIN_PORT is 9464: it must differ from --port/,
    ],
    [
      'a grace longer than the drain',
      ['--drain-timeout-ms', '10'],
      /VERDICT_DRAIN_GRACE_MS is 3000: it must be at most --drain-timeout-ms, 10/,
    ],
    [
      'calls too large to receive',
      ['--max-text-chars', '1000000', '--max-batch-inputs', '4096'],
      /together they must keep a call under 512 MiB/,
    ],
    [
      'the window policy without a wait',
      ['--batch-policy', 'window'],
      /VERDICT_BATCH_MAX_DELAY_MS is 0: it must be above 0/,
    ],
    [
      'more pinned models than places',
      ['--models-pinned', 'intent, emotion,topics'],
      /--models-pinned makes 4 models with the default one: VERDICT_MODEL_CACHE_SIZE must be at least that, or 0, and is 3/,
    ],
    [
      'a list of models with a name that is none',
      ['--models-pinned', 'intent,,x'],
      /--models-pinned is .*: it must be model names, separated by commas/,
    ],
    [
      'a cluster without an address',
      ['--redis-mode', 'cluster'],
      /--redis-mode is cluster: it needs VERDICT_REDIS_URL/,
    ],
    [
      'sentinels without the name they watch',
      ['--redis-mode', 'sentinel', '--redis-url', 'redis://a'],
      /VERDICT_REDIS_SENTINEL_NAME is missing/,
    ],
  ];
  for (const [what, argv, problem] of cases) {
    it(`refuses ${what}`, async () => {
      assert.match((await problems(argv)).join('\n'), problem);
    });
  }

  it('lets both servers take a free port', async () => {
    const { server, admin } = await load(['--port', '0', '--admin-port', '0']);
    assert.deepEqual([server.port, admin.port], [0, 0]);
  });
});
