import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BenchModels } from '../../../bench/bench-models.js';
import { Inputs } from '../../../bench/inputs/inputs.js';
import { parseOptions } from '../../../bench/options.js';
import { Progress } from '../../../bench/progress.js';
import { runScenario, type SharedContext } from '../../../bench/run-scenario.js';
import {
  type Findings,
  type Scenario,
  type ScenarioContext,
  ScenarioSkipped,
} from '../../../bench/scenario.js';
import { TextSink } from './text-sink.js';

const findings: Findings = {
  measurements: [{ name: 'start', unit: 'ms', values: [1_600, 1_500, 1_400], bar: 'startup' }],
  rounds: [{ startMs: 1_600 }, { startMs: 1_500 }, { startMs: 1_400 }],
  charts: [{ kind: 'bars', name: 'p99', title: '', subtitle: '', valueAxis: '', categories: [], series: [] }],
};

function scenario(run: (context: ScenarioContext) => Promise<Findings>): Scenario {
  return { name: 'trial', summary: 'A trial.', bars: ['startup'], run };
}

describe('running a scenario', () => {
  let models: BenchModels;
  let shared: SharedContext;
  before(async () => {
    models = await BenchModels.open('sentiment', 'int8');
    const trial = scenario(async () => findings);
    const options = parseOptions(['trial', '--rounds', '3', '--model', 'sentiment'], [trial]);
    if (options === 'help') throw new Error('unexpected help');
    shared = {
      options,
      models,
      inputs: Inputs.open('/nowhere', (texts) => models.encode(texts)),
      progress: new Progress(new TextSink()),
      signal: new AbortController().signal,
      lookBeforeMs: 0,
    };
  });
  after(() => models.close());

  it('judges what it found and tells how it was found', async () => {
    const { result, charts } = await runScenario(
      scenario(async () => findings),
      shared,
    );
    assert.ok(result.status === 'ran');
    assert.equal(result.command, 'npm run bench -- trial --rounds 3 --model sentiment');
    assert.deepEqual(result.settings, {
      ...{ model: 'sentiment', rounds: 3, texts: 512, threads: shared.options.threads, short: false },
    });
    assert.equal(result.measurements[0]?.median, 1_500);
    assert.equal(result.measurements[0]?.verdict?.reached, true);
    assert.ok('takenBefore' in result.disturbance && result.disturbance.takenBefore >= 0);
    assert.deepEqual(result.charts, ['trial-p99.svg']);
    assert.equal(charts, findings.charts);
  });

  it('says what the machine lacks', async () => {
    const lacking = scenario(() => Promise.reject(new ScenarioSkipped('python3 is not there')));
    const { result, charts } = await runScenario(lacking, shared);
    assert.ok(result.status === 'skipped');
    assert.equal(result.reason, 'python3 is not there');
    assert.deepEqual(charts, []);
  });

  for (const [how, end] of [
    ['ends', async () => findings],
    ['fails', () => Promise.reject(new Error('broken'))],
  ] as const) {
    it(`stops the processes of one that ${how}, the youngest first`, async () => {
      const stopped: string[] = [];
      const starting = scenario(({ processes }) => {
        for (const name of ['first', 'second']) {
          processes.add({ stop: async () => void stopped.push(name) });
        }
        return end();
      });
      await runScenario(starting, shared).catch((error: unknown) => assert.match(String(error), /broken/));
      assert.deepEqual(stopped, ['second', 'first']);
    });
  }

  it('starts no server once it is interrupted', async () => {
    const signal = AbortSignal.abort();
    const starting = scenario(async ({ processes }) => {
      await processes.server({});
      return findings;
    });
    await assert.rejects(runScenario(starting, { ...shared, signal }), { name: 'AbortError' });
  });
});
