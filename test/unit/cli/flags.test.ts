import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../../../src/cli/flags.js';

const FLAGS = {
  name: { kind: 'text', help: 'a name' },
  count: { kind: 'number', integer: true, min: 0, help: 'a count' },
  ratio: { kind: 'number', help: 'a ratio' },
  mode: { kind: 'choice', choices: ['fast', 'slow'], help: 'a mode' },
  loud: { kind: 'switch', help: 'loud' },
  tag: { kind: 'list', help: 'tags' },
} as const;

test('Every kind of flag comes out as what it is, with or without an equals sign', () => {
  const { values, positionals } = parseFlags(FLAGS, [
    ...['a', '--name', 'x', '--count=3', '--ratio=-1.5', '--mode', 'slow', '--loud', '--tag', 'a', '--tag=b'],
    ...['--', '--name'],
  ]);
  assert.deepEqual(values, { name: 'x', count: 3, ratio: -1.5, mode: 'slow', loud: true, tag: ['a', 'b'] });
  assert.deepEqual(positionals, ['a', '--name']);
});

test('Flags that are not given are undefined, false or empty', () => {
  const { values } = parseFlags(FLAGS, []);
  assert.deepEqual(values, {
    name: undefined,
    count: undefined,
    ratio: undefined,
    mode: undefined,
    loud: false,
    tag: [],
  });
});

for (const [argv, message] of [
  [['--nmae', 'x'], /Unknown option '--nmae'\. Did you mean --name\?$/],
  [['--count', '1.5'], /--count must be a whole number, 0 or more; got "1\.5"/],
  [['--count=-1'], /--count must be/],
  [['--count='], /--count must be/],
  [['--ratio', 'much'], /--ratio must be a number; got "much"/],
  [['--mode', 'medium'], /--mode must be one of fast, slow; got "medium"/],
  [['--name'], /--name <value>' argument missing/],
  [['-5'], /Unknown option '-5'\. Put arguments that begin with a dash after --$/],
  [['--ratio', '-1'], /^--ratio needs an equals sign before a value that begins with a dash: --ratio=-1$/],
  [['--loud=yes'], /--loud' does not take an argument/],
] as const) {
  test(`A wrong flag is named with what is allowed: ${argv.join(' ')}`, () => {
    assert.throws(() => parseFlags(FLAGS, argv), { name: 'UsageError', message });
  });
}
