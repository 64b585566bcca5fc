import type { BenchModels } from './bench-models.js';
import type { Inputs } from './inputs/inputs.js';
import { describeMachine } from './machine.js';
import { disturbanceWarnings, takenByOthers, watchForeignCpu } from './noise.js';
import type { BenchOptions } from './options.js';
import { ProcessSet } from './process-set.js';
import type { Progress } from './progress.js';
import type { Chart } from './report/chart.js';
import { judge } from './report/judge.js';
import type { Result } from './report/result.js';
import { chartFile } from './report/write-result.js';
import { type Findings, type Scenario, type ScenarioContext, ScenarioSkipped } from './scenario.js';

/** What all scenarios of a run share. */
export interface SharedContext {
  readonly options: BenchOptions;
  readonly models: BenchModels;
  readonly inputs: Inputs;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** How long to look at the machine before a scenario starts, in milliseconds. */
  readonly lookBeforeMs: number;
}

/**
 * Runs one scenario, stops its processes, takes medians and judges.
 *
 * @throws what the scenario throws, but for ScenarioSkipped, and the signal's reason
 */
export async function runScenario(
  scenario: Scenario,
  { options, models, inputs, progress, signal, lookBeforeMs }: SharedContext,
): Promise<{ readonly result: Result; readonly charts: readonly Chart[] }> {
  const { name, summary } = scenario;
  const head = {
    scenario: name,
    summary,
    bars: scenario.bars,
    command: `npm run bench -- ${name}${options.flags}`,
    date: new Date().toISOString(),
    machine: describeMachine(),
  };
  progress.start(name);
  const processes = new ProcessSet(signal);
  try {
    const takenBefore = await takenByOthers(lookBeforeMs, signal);
    const endWatch = watchForeignCpu();
    const findings = await runAndStop(scenario, { ...options, models, inputs, processes, progress, signal });
    const disturbance = { takenBefore, ...endWatch() };
    const result: Result = {
      ...head,
      status: 'ran',
      settings: {
        model: models.name,
        rounds: options.rounds,
        texts: options.texts,
        threads: options.threads,
        short: options.short,
      },
      inputs: inputs.description,
      disturbance,
      warnings: disturbanceWarnings(disturbance),
      measurements: findings.measurements.map((measurement) => judge(measurement, models.name)),
      facts: findings.facts ?? {},
      rounds: findings.rounds,
      charts: findings.charts.map((chart) => chartFile(name, chart)),
    };
    return { result, charts: findings.charts };
  } catch (error) {
    if (!(error instanceof ScenarioSkipped)) throw error;
    return { result: { ...head, status: 'skipped', reason: error.message }, charts: [] };
  } finally {
    progress.stop();
  }
}

async function runAndStop(scenario: Scenario, context: ScenarioContext): Promise<Findings> {
  try {
    return await scenario.run(context);
  } finally {
    await context.processes.stopAll();
  }
}
