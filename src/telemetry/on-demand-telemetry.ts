import type { Registry } from 'prom-client';
import type { OnDemandHooks, RefusedLoad, UnloadCause } from '../models/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';
import { HistogramFamily, type HistogramSeries } from './histogram-family.js';
import type { Log } from './types.js';

type Outcome = 'loaded' | 'failed';

const outcomes: readonly Outcome[] = ['loaded', 'failed'];
const unloadCauses = Object.keys({ place: 0, memory: 0, request: 0 } satisfies Record<
  UnloadCause,
  0
>) as UnloadCause[];
const refusals = Object.keys({ waiting: 0, deadline: 0, pinned: 0 } satisfies Record<
  RefusedLoad,
  0
>) as RefusedLoad[];

/** From a tiny model to gigabytes of weights beside a busy server, in seconds. */
const loadSeconds = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Models that are loaded when they are asked for: what came of it, who waits, and what made room. */
export class OnDemandTelemetry implements OnDemandHooks {
  readonly #log: Log;
  readonly #loads: Record<Outcome, CounterSeries>;
  readonly #unloads: Record<UnloadCause, CounterSeries>;
  readonly #refused: Record<RefusedLoad, CounterSeries>;
  readonly #seconds: HistogramSeries;

  /** @param waiting requests that wait for a model to be loaded; read at scrape */
  constructor({ registry, log, waiting }: { registry: Registry; log: Log; waiting: () => number }) {
    this.#log = log;
    this.#loads = new CounterFamily(
      registry,
      'verdict_model_loads_total',
      ['outcome'],
      'Models loaded because somebody asked for them, by outcome: loaded, failed. Those that the start or a reload loads are not counted.',
    ).byValue('outcome', outcomes);
    this.#seconds = new HistogramFamily(
      registry,
      'verdict_model_load_seconds',
      [],
      loadSeconds,
      'Time it took to load a model that was asked for, once there was room.',
    ).series({});
    this.#unloads = new CounterFamily(
      registry,
      'verdict_model_unloads_total',
      ['cause'],
      'Models unloaded, by cause: place (another model needed the place), memory (the sessions took too much), request (somebody asked for it).',
    ).byValue('cause', unloadCauses);
    this.#refused = new CounterFamily(
      registry,
      'verdict_model_load_refusals_total',
      ['cause'],
      'Requests refused because their model was not loaded, by cause: waiting (too many wait for it), deadline (its load takes longer than the deadline allows), pinned (pinned models take all places).',
    ).byValue('cause', refusals);
    gauge(registry, 'verdict_model_load_waiting', [], 'Requests that wait for a model to be loaded.', () => [
      { value: waiting() },
    ]);
  }

  onLoaded(model: string, tookMs: number): void {
    this.#loads.loaded.add();
    this.#seconds.observe(tookMs / 1000);
    this.#log.info({ model, took_ms: Math.round(tookMs) }, 'model loaded on demand');
  }

  onLoadFailed(model: string, reason: string, tookMs: number): void {
    this.#loads.failed.add();
    this.#log.error({ model, reason, took_ms: Math.round(tookMs) }, 'model could not be loaded on demand');
  }

  onUnloaded(model: string, cause: UnloadCause, tookMs: number): void {
    this.#unloads[cause].add();
    this.#log.info({ model, cause, took_ms: Math.round(tookMs) }, 'model unloaded');
  }

  onEndFailed({ name, version }: { readonly name: string; readonly version: string }, error: unknown): void {
    this.#log.error({ model: name, version, error: String(error) }, 'an unloaded version did not end well');
  }

  onRefused(cause: RefusedLoad): void {
    this.#refused[cause].add();
  }
}
