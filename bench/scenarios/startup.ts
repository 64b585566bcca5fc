import type { Findings, Scenario, ScenarioContext } from '../scenario.js';

/** From `node` to SERVING, and the memory of all processes then. */
export const startup: Scenario = {
  name: 'startup',
  summary: 'From spawning node to SERVING with the embedded models, and the memory of all processes then.',
  bars: ['startup'],
  run,
};

async function run({ rounds, processes, progress, signal }: ScenarioContext): Promise<Findings> {
  progress.expect(rounds);
  const results: { startMs: number; memoryMb: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted();
    const server = await processes.server({ VERDICT_DRAIN_GRACE_MS: '0' });
    const { mainBytes, sessionsBytes } = server.memory();
    const result = { startMs: server.startMs, memoryMb: (mainBytes + sessionsBytes) / 2 ** 20 };
    await server.stop();
    results.push(result);
    progress.advance(
      `round ${round}/${rounds}: serving after ${result.startMs.toFixed(0)} ms, ${result.memoryMb.toFixed(0)} MB`,
    );
  }
  const startMs = results.map((result) => result.startMs);
  return {
    measurements: [
      {
        name: 'node started to SERVING, embedded models',
        unit: 'ms',
        values: startMs,
        bar: 'startup',
      },
      {
        name: 'resident memory, all processes, just started',
        unit: 'MB',
        values: results.map(({ memoryMb }) => memoryMb),
      },
    ],
    rounds: results,
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'From node to SERVING',
        subtitle: 'The embedded models loaded, checked against known answers and calibrated',
        valueAxis: 'ms',
        categories: startMs.map((_, i) => `start ${i + 1}`),
        series: [{ name: 'time to SERVING', values: startMs }],
        mark: { label: 'at most 3,000 ms', value: 3_000 },
      },
    ],
  };
}
