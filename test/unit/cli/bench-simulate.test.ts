import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { benchSimulate } from '../../../src/cli/bench-simulate.js';
import { UsageError } from '../../../src/cli/usage-error.js';
import { fakeContext } from './fake-context.js';

async function output(argv: readonly string[], isTTY = false): Promise<string> {
  const context = fakeContext({ isTTY });
  assert.equal(await benchSimulate.run(argv, context), 0);
  return context.out();
}

async function withTrace(text: string, action: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'verdict-trace-'));
  try {
    const path = join(folder, 'trace.jsonl');
    await writeFile(path, text);
    await action(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('verdict bench simulate', () => {
  const load = ['--streams', '2', '--in-flight', '8', '--items', '200'];

  test('tells policies side by side, in a pipe as a line of JSON each', async () => {
    const text = await output([...load, '--policy', 'length,fifo:8']);
    const reports = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      reports.map(({ policy, maxItems }) => [policy, maxItems]),
      [
        ['length', 256],
        ['fifo', 8],
      ],
    );
    for (const { all } of reports) assert.equal(all.arrivals, 200);
    assert.ok(reports[0].batches.padding < reports[1].batches.padding);
  });

  test('shows tables on a terminal', async () => {
    const text = await output(load, true);
    assert.match(text, /^POLICY +CLASS/);
    assert.match(text, /\nlength:256 +bulk +200 /);
    assert.match(text, /\nPOLICY +BATCHES +ITEMS +PADDING/);
  });

  test('gives the same output for the same seed, and another for another', async () => {
    const first = await output([...load, '--noise', '0.2', '--seed', '3']);
    assert.equal(await output([...load, '--noise', '0.2', '--seed', '3']), first);
    assert.notEqual(await output([...load, '--noise', '0.2', '--seed', '4']), first);
  });

  test('finds the rate that keeps a promise: more sessions, a higher one', async () => {
    const rate = async (runners: string) =>
      JSON.parse(await output(['--p99-ms', '200', '--items', '300', '--runners', runners])).rate;
    const one = await rate('1');
    assert.ok(one > 1);
    assert.ok((await rate('2')) > one * 1.5);
  });

  test('replays a trace', async () => {
    const lines = [
      '{"atMs":0,"tokens":20}',
      '{"atMs":5,"tokens":30,"class":"bulk","flow":1,"deadlineMs":1000}',
    ];
    await withTrace(lines.join('\n'), async (path) => {
      const { classes } = JSON.parse(await output(['--trace', path]));
      assert.equal(classes.interactive.arrivals, 1);
      assert.equal(classes.bulk.arrivals, 1);
    });
  });

  test('takes only the lines of the chosen model out of a trace, and asks which where there are several', async () => {
    const lines = ['{"atMs":0,"tokens":20,"model":"a"}', '{"atMs":5,"tokens":30,"model":"b"}'];
    await withTrace(lines.join('\n'), async (path) => {
      const text = await output(['--trace', path, '--model', 'b', '--curve', '1,1,0']);
      assert.equal(JSON.parse(text).all.arrivals, 1);
      await assert.rejects(output(['--trace', path]), /several models; choose one with --model \(a, b\)/);
    });
  });

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /give a load with --rate/],
    [['--rate', '0'], /--rate must be a number, 0.01 or more/],
    [['--rate', '1', '--policy', 'lenght'], /--policy takes a comma-separated list of length, fifo, window/],
    [['--rate', '1', '--policy', 'fifo:0'], /--policy takes/],
    [['--rate', '1', '--curve', '1,2'], /--curve takes three comma-separated numbers/],
    [['--rate', '1', '--curve', '0,0,0'], /--curve takes three comma-separated numbers/],
    [['--rate', '1', '--lengths', 'narrow'], /--lengths must be tight, wide or a number/],
    [['--rate', '1', '--speed', '2'], /--speed needs --trace/],
    [['--rate', '1', '--p99-ms', '5'], /--p99-ms finds the rate/],
    [['--rate', '1', '--duration-s', '5', '--warm-up-s', '5'], /--warm-up-s must be less than --duration-s/],
    [['--rate', '1', '--runners', '1000000000'], /--runners must be at most 10000/],
    [
      ['--streams', '1000000', '--in-flight', '1000000'],
      /--streams times --in-flight must be at most 1000000; got 1000000000000/,
    ],
    [['--p99-ms', '1'], /--p99-ms 1 cannot be met/],
    [['--trace', 'does-not-exist.jsonl'], /cannot read does-not-exist.jsonl/],
    [['extra', '--rate', '1'], /no arguments/],
  ];
  for (const [argv, message] of wrong) {
    test(`refuses: ${argv.join(' ') || 'nothing at all'}`, async () => {
      await assert.rejects(
        output(argv),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }

  const lines: readonly (readonly [string, RegExp])[] = [
    ['{', /line 1 of the trace is not valid JSON/],
    ['[]', /line 1 of the trace is not a JSON object/],
    ['{"tokens":1}', /line 1 of the trace: atMs must be a number, 0 or more/],
    ['{"atMs":0,"tokens":0}', /tokens must be a number, 1 or more/],
    ['{"atMs":0,"tokens":1.5}', /tokens must be a whole number/],
    ['{"atMs":0,"tokens":1,"class":"vip"}', /class must be one of interactive, bulk/],
    ['{"atMs":0,"tokens":1,"whenFull":"drop"}', /whenFull must be one of refuse, wait/],
    ['', /holds no arrivals/],
  ];
  for (const [line, message] of lines) {
    test(`refuses a trace with the line ${line}`, async () => {
      await withTrace(`${line}\n`, async (path) => {
        await assert.rejects(output(['--trace', path]), message);
      });
    });
  }
});
