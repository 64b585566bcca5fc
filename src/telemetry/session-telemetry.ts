import type { Registry } from 'prom-client';
import type { RuntimeHooks } from '../runtime/types.js';
import { BusyWindow } from './busy-window.js';
import { CounterFamily, type CounterSeries, hasLabels } from './counter-family.js';
import { gauge } from './gauge.js';
import { LineLimiter } from './line-limiter.js';
import type { BusyReadings, Log, VersionLabels } from './types.js';

const spanMs = 30_000;
const outputLineIntervalMs = 1_000;

interface VersionSessions {
  readonly of: VersionLabels;
  readonly busy: CounterSeries;
  window?: BusyWindow;
  readings?: BusyReadings;
}

/** The sessions of each version: how busy they are, and how they ended. */
export class SessionTelemetry {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #lost: CounterFamily;
  readonly #restarts: CounterFamily;
  readonly #busySeconds: CounterFamily;
  readonly #versions = new Set<VersionSessions>();

  constructor(options: { registry: Registry; log: Log; now: () => number; latencyObjectiveMs: number }) {
    const { registry, log, now, latencyObjectiveMs } = options;
    this.#log = log;
    this.#now = now;
    this.#lost = new CounterFamily(
      registry,
      'verdict_instances_lost_total',
      ['model', 'version'],
      'Sessions that crashed, hung or were killed.',
    );
    this.#restarts = new CounterFamily(
      registry,
      'verdict_instance_restarts_total',
      ['model', 'version'],
      'Attempts to replace a lost session, including failed ones.',
    );
    gauge(
      registry,
      'verdict_utilization_ratio',
      ['model', 'version'],
      `Share of the last ${spanMs / 1000} s that the sessions spent running batches: 0 is idle, 1 is saturated.`,
      () => {
        const at = now();
        return [...this.#versions].map(({ of, window }) => ({
          labels: of,
          value: window?.ratio(at) ?? 0,
        }));
      },
    );
    gauge(
      registry,
      'verdict_utilization',
      ['model', 'version'],
      `Scale on this. The larger of verdict_utilization_ratio and the predicted wait of an interactive input divided by VERDICT_LATENCY_OBJECTIVE_MS, over the last ${spanMs / 1000} s. 1 is full; at 2 the wait is twice the objective.`,
      () => {
        const at = now();
        return [...this.#versions].map(({ of, window }) => ({
          labels: of,
          value: window?.utilization(at, latencyObjectiveMs) ?? 0,
        }));
      },
    );
    this.#busySeconds = new CounterFamily(
      registry,
      'verdict_session_busy_seconds_total',
      ['model', 'version'],
      'Total time the sessions spent running batches. A run that uses the threads of several sessions counts once for each.',
      () => {
        for (const { readings, busy } of this.#versions) busy.value = (readings?.busyMs() ?? 0) / 1000;
      },
    );
  }

  /** Creates a version's series, at 0. */
  add(of: VersionLabels): { hooks: RuntimeHooks; watchBusy: (readings: BusyReadings) => void } {
    const log = this.#log;
    const lost = this.#lost.series(of);
    const restarts = this.#restarts.series(of);
    const outputLines = new LineLimiter(outputLineIntervalMs, this.#now);
    const state: VersionSessions = { of, busy: this.#busySeconds.series(of) };
    this.#versions.add(state);
    return {
      hooks: {
        onInstanceReady({ pid, device, loadMs }) {
          log.info({ ...of, pid, device, load_ms: Math.round(loadMs) }, 'session ready');
        },
        onInstanceLost({ pid, reason }) {
          lost.add();
          log.error({ ...of, pid, reason }, 'session lost');
        },
        onRestartScheduled({ attempt, delayMs }) {
          restarts.add();
          log.warn({ ...of, attempt, delay_ms: Math.round(delayMs) }, 'session restarts');
        },
        onInstanceOutput({ pid, line }) {
          const suppressed = outputLines.pass();
          if (suppressed !== undefined) log.warn({ ...of, pid, line, suppressed }, 'session output');
        },
      },
      watchBusy: (readings) => {
        state.readings = readings;
        state.window = new BusyWindow(readings, spanMs);
        state.window.sample(this.#now());
      },
    };
  }

  /** Forgets a version. */
  forget(of: VersionLabels): void {
    for (const family of [this.#lost, this.#restarts, this.#busySeconds]) family.forget(of);
    for (const version of this.#versions) if (hasLabels(version.of, of)) this.#versions.delete(version);
  }

  /** Called once a second. */
  sample(): void {
    const now = this.#now();
    for (const { window } of this.#versions) window?.sample(now);
  }
}
