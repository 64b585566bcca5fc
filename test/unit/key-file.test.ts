import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { random256 } from '../../src/auth/key-format.js';
import { parseKeyFile } from '../../src/config/key-file.js';

const secret = random256();
const hash = random256();
const entry = (more = '', id = 'search', scopes = '[classify]') =>
  `  - id: ${id}\n    hash: ${hash}\n    scopes: ${scopes}\n${more}`;
const file = (...entries: string[]) => `secret: ${secret}\nkeys:\n${entries.join('')}`;

async function problemsOf(text: string): Promise<readonly string[]> {
  const found = await parseKeyFile(text, 'keys.yaml');
  assert.ok('problems' in found);
  for (const problem of found.problems) {
    assert.ok(!problem.includes(secret) && !problem.includes(hash), problem);
  }
  return found.problems;
}

describe('a key file', () => {
  it('gives its keys', async () => {
    const text = file(
      entry(),
      entry(
        '    models: [topics, sentiment]\n    limits: {requestsPerMinute: 600, textsInFlight: 8}\n    cache: own\n    weight: 3\n    expires: 2027-01-31\n',
        'web',
        '[classify, metrics]',
      ),
      entry('    expires: 2027-01-31T12:00:00Z\n', 'late'),
    );
    assert.deepEqual(await parseKeyFile(text, 'keys.yaml'), {
      file: {
        secret,
        keys: [
          {
            id: 'search',
            hash,
            scopes: ['classify'],
            models: undefined,
            limits: undefined,
            cache: undefined,
            weight: 1,
            expiresAt: Infinity,
          },
          {
            id: 'web',
            hash,
            scopes: ['classify', 'metrics'],
            models: ['topics', 'sentiment'],
            limits: { requestsPerMinute: 600, tokensPerMinute: 0, textsInFlight: 8 },
            cache: 'own',
            weight: 3,
            expiresAt: Date.UTC(2027, 0, 31),
          },
          {
            id: 'late',
            hash,
            scopes: ['classify'],
            models: undefined,
            limits: undefined,
            cache: undefined,
            weight: 1,
            expiresAt: Date.UTC(2027, 0, 31, 12),
          },
        ],
      },
    });
  });

  it('may hold no key: then nobody gets in', async () => {
    assert.deepEqual(await parseKeyFile(`secret: ${secret}\nkeys: []\n`, 'keys.yaml'), {
      file: { secret, keys: [] },
    });
  });

  const bad: Readonly<Record<string, readonly [string, RegExp]>> = {
    'is empty': ['', /^keys\.yaml: must be a mapping of secret and keys\.$/],
    'ends before its keys': [`secret: ${secret}\n`, /^keys\.yaml: keys: must be a list\.$/],
    'is no YAML': [`secret: "${secret}`, /^keys\.yaml is not valid YAML: \w+ at line \d\.$/],
    'has a field twice': [file(entry(`    hash: ${hash}\n`)), /DUPLICATE_KEY/],
    'has a field that nobody knows': [
      file(entry('    limit: 3\n')),
      /^keys\.yaml: keys\[0\] \(search\): limit is not a field; there are id, hash, scopes, models, limits, cache, weight, expires\.$/,
    ],
    'has a section that nobody knows': [
      `${file(entry())}limits: {}\n`,
      /^keys\.yaml: limits is not a field; there are secret, keys\.$/,
    ],
    'has a key as a field': [
      file(entry(`    vk_search_${hash}: 1\n`)),
      /keys\[0\] \(search\): there is a field of an unknown name/,
    ],
    'has a scope that does not exist': [
      file(entry('', 'search', '[classify, root]')),
      /keys\[0\] \(search\)\.scopes\[1\]: must be one of classify, interactive, .*admin\.$/,
    ],
    'has no scopes': [file(entry('', 'search', '[]')), /\.scopes: must be a list with at least one entry/],
    'has an empty list of models': [file(entry('    models: []\n')), /\.models: must be a list with/],
    'has a model that none can be called': [
      file(entry('    models: ["*"]\n')),
      /\.models\[0\]: must be a model/,
    ],
    'has a limit that nobody knows': [
      file(entry('    limits: {perMinute: 3}\n')),
      /\(search\)\.limits: perMinute is not a field; there are requestsPerMinute, tokensPerMinute, textsInFlight\.$/,
    ],
    'has a cache that is none of the three': [
      file(entry('    cache: mine\n')),
      /\(search\)\.cache: must be one of shared, own, off\.$/,
    ],
    'has a limit below none': [
      file(entry('    limits: {textsInFlight: -1}\n')),
      /\(search\)\.limits\.textsInFlight: must be a whole number from 0/,
    ],
    'has no weight': [file(entry('    weight: 0\n')), /\.weight: must be a whole number from 1 to 1000/],
    'has a bad id': [file(entry('', 'Search_1')), /keys\[0\]\.id: must be 1 to 32 of a-z/],
    'has a hash that is none': [file(entry().replace(hash, 'abc')), /\(search\)\.hash: must be 256 bits/],
    'has a date that is none': [file(entry('    expires: 2027-02-30\n')), /\.expires: must be a date/],
    'has a time of another zone': [
      file(entry('    expires: 2027-02-01T00:00:00+01:00\n')),
      /\.expires: must/,
    ],
    'has an id twice': [file(entry(), entry()), /^keys\.yaml: the id search is there twice\.$/],
    'has a short secret': [file(entry()).replace(secret, 'abc'), /^keys\.yaml: secret: must be 256 bits/],
    'is a bomb': [
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
      /aliases multiply|is not a field/,
    ],
  };
  for (const [what, [text, expected]] of Object.entries(bad)) {
    it(`is refused that ${what}`, async () => assert.match((await problemsOf(text))[0] ?? '', expected));
  }

  it('is refused with ten sentences at most', async () => {
    const problems = await problemsOf(file(...Array.from({ length: 30 }, () => entry('', 'A'))));
    assert.equal(problems.length, 11);
    assert.equal(problems.at(-1), 'keys.yaml: 20 more.');
  });
});
