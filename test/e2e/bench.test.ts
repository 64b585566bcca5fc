import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Result } from '../../bench/report/result.js';
import { scenarios } from '../../bench/scenarios.js';
import { type Ended, runToEnd } from '../support/run-to-end.js';
import { assertWellFormedSvg } from '../unit/bench/report/well-formed-svg.js';

// Proves that the suite works, and nothing about speed.

describe('the benchmark suite in short mode', () => {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-bench-'));
  let ended: Ended;
  before(async () => {
    ended = await runToEnd('dist/bench/main.js', ['all', '--short', '--out', folder, '--data', '/nowhere']);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('ends well', () => {
    assert.equal(ended.code, 0, ended.stderr);
  });

  for (const { name, bars } of scenarios) {
    it(`writes the result and the charts of ${name}, or says what it lacks`, (t) => {
      const result: Result = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
      assert.equal(result.scenario, name);
      assert.deepEqual(result.bars, bars);
      assert.equal(result.command, `npm run bench -- ${name} --short`);
      if (result.status === 'skipped') {
        assert.ok(result.reason.length > 0);
        t.skip(result.reason);
        return;
      }
      assert.ok(result.measurements.length > 0);
      for (const measurement of result.measurements) {
        assert.ok(measurement.values.length > 0, measurement.name);
        for (const value of [measurement.median, ...measurement.values]) {
          assert.ok(Number.isFinite(value), `${measurement.name}: ${value}`);
        }
        if (measurement.verdict !== undefined) assert.ok(bars.includes(measurement.verdict.bar));
      }
      assert.ok(result.charts.length > 0);
      for (const file of result.charts) assertWellFormedSvg(readFileSync(join(folder, file), 'utf8'));
    });
  }

  it('shows a table or a reason for each', () => {
    for (const { name } of scenarios) assert.ok(ended.stdout.includes(`## ${name}\n`), name);
  });
});

describe('the command of the benchmark suite', () => {
  it('refuses a scenario that there is not, and shows those that there are', async () => {
    const { code, stderr } = await runToEnd('dist/bench/main.js', ['speed']);
    assert.equal(code, 2);
    assert.match(stderr, /there is no scenario 'speed'/);
    for (const { name } of scenarios) assert.ok(stderr.includes(`  ${name} `), name);
  });

  it('helps', async () => {
    const { code, stdout } = await runToEnd('dist/bench/main.js', ['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /--publish/);
  });
});
