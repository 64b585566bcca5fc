import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Result } from '../../bench/report/result.js';
import { scenarios } from '../../bench/scenarios.js';
import { childProcesses, isAlive } from '../support/child-processes.js';
import { repositoryRoot } from '../support/repository.js';
import { type Ended, runToEnd } from '../support/run-to-end.js';
import { until } from '../support/until.js';
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
  it('stops what it started when it is interrupted', async () => {
    const args = ['dist/bench/main.js', 'in-flight', '--model', 'sentiment', '--data', '/nowhere'];
    const bench = spawn(process.execPath, args, { cwd: repositoryRoot, stdio: ['ignore', 'ignore', 'pipe'] });
    const exited = once(bench, 'exit');
    let told = '';
    bench.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    await until('the rounds have begun', () => told.includes('round 1/5'), 60_000);
    const started = childProcesses(bench.pid ?? 0);
    const below = started.flatMap(childProcesses);
    assert.ok(started.length > 0 && below.length > 0, 'a load, a server and its session');
    bench.kill('SIGINT');
    assert.deepEqual(await exited, [130, null]);
    await until('no process is left', () => ![...started, ...below].some(isAlive));
    assert.match(told, /bench: interrupted/);
  });

  it('leaves nothing running when it crashes', async () => {
    const script = `
      import { ProcessSet } from './dist/bench/process-set.js';
      const processes = new ProcessSet(new AbortController().signal);
      const server = await processes.server({ VERDICT_DEFAULT_MODEL: 'sentiment', VERDICT_DEVICE: 'cpu' });
      processes.child('./reference/echo-process.js');
      console.log(JSON.stringify([server.pid, ...server.sessions]));
      process.stdin.once('data', () => { throw new Error('a bug of the bench'); });`;
    const crashing = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: repositoryRoot });
    const exited = once(crashing, 'exit');
    const [line] = await Promise.race([once(crashing.stdout, 'data'), exited]);
    const started = new Set<number>([...JSON.parse(String(line)), ...childProcesses(crashing.pid ?? 0)]);
    assert.ok(started.size >= 3, 'a server, its session and an echo');
    crashing.stdin.write('now');
    assert.deepEqual(await exited, [1, null]);
    await until('no process is left', () => ![...started].some(isAlive));
  });

  it('refuses a scenario that there is not, and shows those that there are', async () => {
    const { code, stderr } = await runToEnd('dist/bench/main.js', ['speed']);
    assert.equal(code, 2);
    assert.match(stderr, /there is no scenario 'speed'/);
    for (const { name } of scenarios) assert.ok(stderr.includes(`  ${name} `), name);
  });

  it('publishes nothing that was measured with generated sentences', async () => {
    const args = ['startup', '--publish', '--data', '/nowhere', '--model', 'sentiment'];
    const { code, stderr } = await runToEnd('dist/bench/main.js', args);
    assert.equal(code, 2);
    assert.match(stderr, /--publish needs the data sets/);
  });

  it('helps', async () => {
    const { code, stdout } = await runToEnd('dist/bench/main.js', ['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /--publish/);
  });
});
