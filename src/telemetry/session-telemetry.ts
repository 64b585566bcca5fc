import type { Registry } from 'prom-client';
import type { RuntimeHooks } from '../runtime/types.js';
import { BusyWindow } from './busy-window.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';
import { LineLimiter } from './line-limiter.js';
import type { BusyReadings, Log } from './types.js';

const spanMs = 30_000;
const outputLineIntervalMs = 1_000;

/** The session processes of each model: how busy they are, and what became of them. */
export class SessionTelemetry {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #lost: CounterFamily;
  readonly #restarts: CounterFamily;
  readonly #busySeconds: CounterFamily;
  readonly #models = new Map<string, { window?: BusyWindow; readings?: BusyReadings; busy: CounterSeries }>();

  constructor(options: { registry: Registry; log: Log; now: () => number; latencyObjectiveMs: number }) {
    const { registry, log, now, latencyObjectiveMs } = options;
    this.#log = log;
    this.#now = now;
    this.#lost = new CounterFamily(
      registry,
      'verdict_instances_lost_total',
      ['model'],
      'Sessions that crashed, hung or were killed.',
    );
    this.#restarts = new CounterFamily(
      registry,
      'verdict_instance_restarts_total',
      ['model'],
      'Attempts to replace a lost session, including failed ones.',
    );
    gauge(
      registry,
      'verdict_utilization_ratio',
      ['model'],
      `Share of the last ${spanMs / 1000} s that the sessions spent running batches: 0 is idle, 1 is saturated.`,
      () => {
        const at = now();
        return [...this.#models].map(([model, { window }]) => ({
          labels: { model },
          value: window?.ratio(at) ?? 0,
        }));
      },
    );
    gauge(
      registry,
      'verdict_utilization',
      ['model'],
      `Scale on this. The larger of verdict_utilization_ratio and the predicted wait of an interactive input divided by VERDICT_LATENCY_OBJECTIVE_MS, over the last ${spanMs / 1000} s. 1 is full; at 2 the wait is twice the objective.`,
      () => {
        const at = now();
        return [...this.#models].map(([model, { window }]) => ({
          labels: { model },
          value: window?.utilization(at, latencyObjectiveMs) ?? 0,
        }));
      },
    );
    this.#busySeconds = new CounterFamily(
      registry,
      'verdict_session_busy_seconds_total',
      ['model'],
      'Total time the sessions spent running batches. A run that uses the threads of several sessions counts once for each.',
      () => {
        for (const { readings, busy } of this.#models.values()) busy.value = (readings?.busyMs() ?? 0) / 1000;
      },
    );
  }

  /** Makes a model known, at 0. */
  add(model: string): { hooks: RuntimeHooks; watchBusy: (readings: BusyReadings) => void } {
    const log = this.#log;
    const lost = this.#lost.series({ model });
    const restarts = this.#restarts.series({ model });
    const outputLines = new LineLimiter(outputLineIntervalMs, this.#now);
    const state: { window?: BusyWindow; readings?: BusyReadings; busy: CounterSeries } = {
      busy: this.#busySeconds.series({ model }),
    };
    this.#models.set(model, state);
    return {
      hooks: {
        onInstanceReady({ pid, device, loadMs }) {
          log.info({ model, pid, device, load_ms: Math.round(loadMs) }, 'session ready');
        },
        onInstanceLost({ pid, reason }) {
          lost.add();
          log.error({ model, pid, reason }, 'session lost');
        },
        onRestartScheduled({ attempt, delayMs }) {
          restarts.add();
          log.warn({ model, attempt, delay_ms: Math.round(delayMs) }, 'session restarts');
        },
        onInstanceOutput({ pid, line }) {
          const suppressed = outputLines.pass();
          if (suppressed !== undefined) log.warn({ model, pid, line, suppressed }, 'session output');
        },
      },
      watchBusy: (readings) => {
        state.readings = readings;
        state.window = new BusyWindow(readings, spanMs);
        state.window.sample(this.#now());
      },
    };
  }

  /** Called once a second. */
  sample(): void {
    const now = this.#now();
    for (const { window } of this.#models.values()) window?.sample(now);
  }
}
