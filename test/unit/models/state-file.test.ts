import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Routings } from '../../../src/models/routing.js';
import { StateFile, StateFileError } from '../../../src/models/state-file.js';
import { redivided, undivided } from '../../../src/models/traffic.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const traffic = redivided(
  undivided('2'),
  new Map([
    ['1', 90],
    ['2', 10],
  ]),
);
const routings: Routings = new Map([
  ['mood', { traffic: undefined, aliases: new Map([['constructor', '1']]) }],
  [
    'tone',
    {
      traffic,
      aliases: new Map([
        ['challenger', '2'],
        ['champion', '1'],
      ]),
    },
  ],
]);

describe('the state file', () => {
  it('says what was written, and is for people to read', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    const file = new StateFile(path);
    assert.equal(await file.read(), undefined, 'before there is one');
    await file.change(() => routings);
    assert.deepEqual(await new StateFile(path).read(), routings);
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
      format: 1,
      models: {
        mood: { aliases: { constructor: '1' } },
        tone: {
          traffic: [
            { version: '1', percent: 90 },
            { version: '2', percent: 10 },
          ],
          aliases: { challenger: '2', champion: '1' },
        },
      },
    });
    await file.change(() => new Map());
    assert.deepEqual(await file.read(), new Map());
    assert.deepEqual(readdirSync(join(path, '..')), ['state.json'], 'nothing is left beside it');
  });

  it('holds a shadow and a rollback rule, before and after it was used', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    const rollback = {
      ...{ version: '2', stable: '1', maxErrorPercent: 0.5, maxFlipPercent: undefined },
      ...{ minObservations: 50, windowSeconds: 300, setAt: 1_700_000_000_000, rolledBack: undefined },
    };
    const rolledBack = { cause: 'errors', count: 12, observations: 60, at: 1_700_000_001_000 } as const;
    const watched: Routings = new Map([
      [
        'mood',
        {
          ...{ traffic: undefined, aliases: new Map(), rollback: { ...rollback, rolledBack } },
          shadow: { version: '3', percent: 10, setAt: 1_700_000_000_000 },
        },
      ],
      ['tone', { traffic, aliases: new Map(), rollback }],
    ]);
    await new StateFile(path).change(() => watched);
    assert.deepEqual(await new StateFile(path).read(), watched);
  });

  const rule =
    '{"version":"2","stable":"1","maxFlipPercent":5,"minObservations":50,"windowSeconds":300,"setAt":1}';
  for (const [what, part, words] of [
    ['a shadow of nothing', '"shadow":{"version":"2","percent":0,"setAt":1}', /whole percent from 1 to 100/],
    ['a shadow that says more', '"shadow":{"version":"2","percent":1,"setAt":1,"x":1}', /shadow must hold/],
    ['a shadow of no time', '"shadow":{"version":"2","percent":1,"setAt":-1}', /when it was set/],
    ['a rule that is none', '"rollback":[]', /rollback must be an object/],
    ['a rule for one version', `"rollback":${rule.replace('"1"', '"2"')}`, /must name two versions/],
    ['a limit of all', `"rollback":${rule.replace(':5', ':100')}`, /from 0 to below 100 percent/],
    ['a limit that is no number', `"rollback":${rule.replace(':5', ':"5"')}`, /from 0 to below 100 percent/],
    ['no limit', `"rollback":${rule.replace('"maxFlipPercent":5,', '')}`, /must have a limit/],
    ['few observations', `"rollback":${rule.replace(':50,', ':9,')}`, /10 to 1000000 minObservations/],
    ['a long window', `"rollback":${rule.replace(':300', ':86401')}`, /10 to 86400 windowSeconds/],
    ['a rule that says more', `"rollback":${rule.replace('{', '{"x":1,')}`, /more than it may/],
    [
      'another reason',
      `"rollback":${rule.replace('{', '{"rolledBack":{"at":1,"cause":"whim","count":1,"observations":1},')}`,
      /rolledBack must hold/,
    ],
  ] as const) {
    it(`that holds ${what} is refused`, async (t) => {
      const path = join(temporaryFolder(t), 'state.json');
      writeFileSync(path, `{"format":1,"models":{"tone":{${part}}}}`);
      await assert.rejects(new StateFile(path).read(), words);
    });
  }

  it('behind a link is replaced where it lies', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'kept'));
    await new StateFile(join(folder, 'kept/state.json')).change(() => new Map());
    symlinkSync('kept/state.json', join(folder, 'link.json'));
    await new StateFile(join(folder, 'link.json')).change(() => routings);
    assert.deepEqual(await new StateFile(join(folder, 'kept/state.json')).read(), routings);
  });

  for (const [what, content, words] of [
    ['is cut off', '{"format": 1, "models": {', /is not valid JSON/],
    ['is empty', '', /is not valid JSON/],
    ['is a list', '[]', /must hold a JSON object/],
    ['is of the future', '{"format":2,"models":{}}', /has a format other than 1/],
    ['says more', '{"format":1,"models":{},"x":1}', /holds more than format and models/],
    ['has no models', '{"format":1}', /must hold models as an object/],
    ['names no model', '{"format":1,"models":{"A":{}}}', /names a model that does not match/],
    ['says nothing of a model', '{"format":1,"models":{"tone":1}}', /of tone .*it must be an object/],
    [
      'says more of a model',
      '{"format":1,"models":{"tone":{"weights":{}}}}',
      /traffic, aliases, shadow and rollback alone/,
    ],
    ['has wrong aliases', '{"format":1,"models":{"tone":{"aliases":[]}}}', /aliases must be an object/],
    [
      'has an alias like a version',
      '{"format":1,"models":{"tone":{"aliases":{"1":"2"}}}}',
      /an alias must match/,
    ],
    [
      'has an alias of an alias',
      '{"format":1,"models":{"tone":{"aliases":{"a":"b"}}}}',
      /a must stand for a version/,
    ],
    ['has traffic that is none', '{"format":1,"models":{"tone":{"traffic":{}}}}', /traffic must be a list/],
    [
      'divides too little',
      '{"format":1,"models":{"tone":{"traffic":[{"version":"1","percent":99}]}}}',
      /100 together/,
    ],
    [
      'divides by halves',
      '{"format":1,"models":{"tone":{"traffic":[{"version":"1","percent":99.5},{"version":"2","percent":0.5}]}}}',
      /whole percent/,
    ],
    [
      'divides below nothing',
      '{"format":1,"models":{"tone":{"traffic":[{"version":"1","percent":101},{"version":"2","percent":-1}]}}}',
      /above 0/,
    ],
    [
      'divides among nobody',
      '{"format":1,"models":{"tone":{"traffic":[{"percent":100}]}}}',
      /a list of versions/,
    ],
    [
      'says something of a model twice',
      '{"format":1,"models":{"tone":{"aliases":{"a":"1"}},"tone":{}}}',
      /says something twice/,
    ],
    [
      'has an alias twice, once in disguise',
      '{"format":1,"models":{"tone":{"aliases":{"a":"1","\\u0061" : "2"}}}}',
      /says something twice/,
    ],
    ['is deep', '['.repeat(500_000), /is not valid JSON/],
    ['names a prototype', '{"format":1,"models":{"__proto__":{}}}', /names a model that does not match/],
    ['is a prototype', '{"format":1,"models":{},"__proto__":{}}', /holds more than format and models/],
    [
      'has a version of another spelling',
      '{"format":1,"models":{"tone":{"aliases":{"a":"01"}}}}',
      /must stand/,
    ],
    [
      'has a share out of range',
      '{"format":1,"models":{"tone":{"traffic":[{"version":"1","percent":1e308}]}}}',
      /100 together/,
    ],
    ['is too large', ' '.repeat(2 ** 20 + 1), /is larger than 1048576 bytes/],
  ] as const) {
    it(`that ${what} is refused, by its path and without what it holds`, async (t) => {
      const path = join(temporaryFolder(t), 'state.json');
      writeFileSync(path, content);
      await assert.rejects(new StateFile(path).read(), (error) => {
        assert.ok(error instanceof StateFileError && error.message.startsWith(`${path} `));
        assert.match(error.message, words);
        return true;
      });
    });
  }

  it('is refused, not believed in part, whatever else it holds', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    await fc.assert(
      fc.asyncProperty(fc.json(), async (content) => {
        writeFileSync(path, content);
        await assert.rejects(new StateFile(path).read(), StateFileError);
      }),
    );
  });

  it('that has too many aliases is refused', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    const aliases = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`a${at}`, '1']));
    writeFileSync(path, JSON.stringify({ format: 1, models: { tone: { aliases } } }));
    await assert.rejects(new StateFile(path).read(), /at most 32 aliases/);
  });

  it('is not read from a folder, and cannot be written where there is none', async (t) => {
    const folder = temporaryFolder(t);
    await assert.rejects(new StateFile(folder).read(), /is not a regular file|cannot be read/);
    await assert.rejects(
      new StateFile(join(folder, 'none/state.json')).change(() => routings),
      /cannot be written/,
    );
    await assert.rejects(
      new StateFile(folder).change(() => routings),
      /is not a regular file/,
    );
    assert.deepEqual(
      readdirSync(join(folder, '..')).filter((name) => name.endsWith('.new')),
      [],
    );
  });

  it('stays as it was where the new content is too large', async (t) => {
    const file = new StateFile(join(temporaryFolder(t), 'state.json'));
    await file.change(() => routings);
    const aliases = new Map(Array.from({ length: 32 }, (_, at) => [`a${at}`.padEnd(64, 'x'), '1'] as const));
    const many = new Map(Array.from({ length: 500 }, (_, at) => [`m${at}`, { traffic, aliases }] as const));
    await assert.rejects(
      file.change(() => many),
      /would be larger than/,
    );
    assert.deepEqual(await file.read(), routings);
  });

  it('has what killed processes left beside it removed, behind a link too, and nothing else', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'kept'));
    symlinkSync('kept/state.json', join(folder, 'link.json'));
    const long = new Date(Date.now() - 3_600_000);
    const [old, young] = ['0'.repeat(16), '1'.repeat(16)];
    const kept = [
      `state.json.${young}.new`,
      'state.json.bak',
      'state.json.mine.new',
      `other.json.${old}.new`,
    ];
    for (const name of [`state.json.${old}.new`, ...kept]) {
      const path = join(folder, 'kept', name);
      writeFileSync(path, '{');
      if (!name.includes(young)) utimesSync(path, long, long);
    }
    await new StateFile(join(folder, 'link.json')).tidy();
    assert.deepEqual(readdirSync(join(folder, 'kept')).sort(), kept.sort());
    await new StateFile(join(folder, 'none/state.json')).tidy();
  });

  it('behind a link that leads to no file yet is written where it leads', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'kept'));
    symlinkSync('kept/state.json', join(folder, 'link.json'));
    await new StateFile(join(folder, 'link.json')).change(() => routings);
    assert.deepEqual(readdirSync(join(folder, 'kept')), ['state.json']);
    assert.deepEqual(await new StateFile(join(folder, 'link.json')).read(), routings);
  });

  it('stays readable for those who could read it', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    const file = new StateFile(path);
    for (const mode of [0o600, 0o664]) {
      await file.change(() => routings);
      chmodSync(path, mode);
      await file.change(() => new Map());
      assert.equal(statSync(path).mode & 0o777, mode);
    }
  });

  it('loses no change of servers that share it and change it at the same time', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    const change = (server: number, at: number) =>
      new StateFile(path).change((former) => new Map([...(former ?? []), [`m${server}-${at}`, one]]));
    const one = { traffic: undefined, aliases: new Map([['champion', '1']]) };
    const servers = [0, 1, 2].map(async (server) => {
      for (let at = 0; at < 20; at++) await change(server, at);
    });
    await Promise.all(servers);
    assert.equal((await new StateFile(path).read())?.size, 60);
    assert.deepEqual(readdirSync(join(path, '..')), ['state.json']);
  });

  it('looks different after each change, and the same while there is none', async (t) => {
    const file = new StateFile(join(temporaryFolder(t), 'state.json'));
    const looks = [await file.identity(), await file.identity()];
    for (const content of [routings, new Map()]) {
      await file.change(() => content);
      looks.push(await file.identity(), await file.identity());
    }
    const [none, again, ...others] = looks;
    assert.equal(none, again);
    assert.deepEqual([new Set(looks).size, others[0] === others[1]], [3, true]);
  });
});
