import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOptions, usage } from '../../../bench/options.js';
import { scenarios } from '../../../bench/scenarios.js';
import { BenchUsageError } from '../../../bench/usage-error.js';

function parse(...args: string[]) {
  const options = parseOptions(args, scenarios);
  if (options === 'help') throw new Error('unexpected help');
  return options;
}

describe('the command line of the bench', () => {
  it('takes scenarios by name, in the order given, or all of them', () => {
    const names = parse('startup', 'policies').scenarios.map(({ name }) => name);
    assert.deepEqual(names, ['startup', 'policies']);
    assert.equal(parse('all').scenarios.length, scenarios.length);
  });

  it('measures the base model in fp32 and both mixes by default', () => {
    const { model, precision, mixes, short } = parse('policies');
    assert.deepEqual(
      { model, precision, mixes, short },
      {
        ...{ model: 'base', precision: 'fp32', mixes: ['tight', 'wide'], short: false },
      },
    );
  });

  it('proves with an embedded model in short mode', () => {
    const { model, precision, rounds, texts } = parse('all', '--short');
    assert.deepEqual({ model, precision, rounds }, { model: 'sentiment', precision: 'int8', rounds: 1 });
    assert.ok(texts <= 64);
  });

  it('takes the length of an open loop and that of a soak apart', () => {
    const { durationMs, soakMs } = parse('all', '--seconds', '12');
    assert.deepEqual({ durationMs, soakMs }, { durationMs: 12_000, soakMs: undefined });
    const other = parse('all', '--soak-minutes', '3');
    assert.deepEqual([other.durationMs, other.soakMs], [undefined, 180_000]);
    assert.equal(other.flags, ' --soak-minutes 3');
  });

  it('keeps the flags for the report, without those that name folders', () => {
    const { flags } = parse('policies', '--rounds', '7', '--publish', '--out', '/tmp/x', '--threads=1');
    assert.equal(flags, ' --rounds 7 --threads 1');
  });

  it('shows help', () => {
    assert.equal(parseOptions(['--help'], scenarios), 'help');
    for (const { name, summary } of scenarios) assert.ok(usage(scenarios).includes(`${name}  `), summary);
  });

  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /name a scenario, or 'all'/],
    [['speed'], /there is no scenario 'speed'/],
    [['all', '--model', 'large'], /--model is one of base, sentiment, intent/],
    [['all', '--precision', 'int4'], /--precision is one of/],
    [['all', '--mix', 'huge'], /--mix is one of tight, wide/],
    [['all', '--rounds', '0'], /--rounds is a whole number of at least 1/],
    [['all', '--texts', '1.5'], /--texts is a whole number/],
    [['memory', '--soak-minutes', '0'], /--soak-minutes is a whole number of at least 1/],
    [['all', '--speed'], /Unknown option '--speed'/],
    [['all', '--short', '--publish'], /nothing that could be published/],
    [['policies', '--publish', '--mix', 'wide'], /--publish needs both mixes/],
    [['policies', '--publish', '--model', 'intent'], /the bars of policies are not for intent/],
  ];
  for (const [args, wanted] of mistakes) {
    it(`refuses '${args.join(' ')}'`, () => {
      assert.throws(
        () => parseOptions(args, scenarios),
        (error) => error instanceof BenchUsageError && wanted.test(error.message),
      );
    });
  }

  it('lets scenarios whose bars hold for any model be published with any', () => {
    assert.equal(parse('event-loop', '--publish', '--model', 'sentiment').publish, true);
  });
});
