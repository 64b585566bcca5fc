import type { Registry } from 'prom-client';
import type { ModelReload, ReloadHooks, ReloadOutcome } from '../models/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';
import { HistogramFamily, type HistogramSeries } from './histogram-family.js';
import type { Log } from './types.js';

const outcomes = Object.keys({ loaded: 0, unchanged: 0, removed: 0, failed: 0, retired: 0 } satisfies Record<
  ReloadOutcome,
  0
>) as ReloadOutcome[];

type WarmOutcome = 'same' | 'flipped' | 'not_compared' | 'failed';

const warmOutcomes: readonly WarmOutcome[] = ['same', 'flipped', 'not_compared', 'failed'];

/** From a tiny model to gigabytes of weights beside a busy server, in seconds. */
const reloadSeconds = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Reloads of models: what came of them, and which models still wait for one that goes well. */
export class ReloadTelemetry implements ReloadHooks {
  readonly #log: Log;
  readonly #reloads: Record<ReloadOutcome, CounterSeries>;
  readonly #seconds: HistogramSeries;
  readonly #unreadable: CounterSeries;
  readonly #warmed: Record<WarmOutcome, CounterSeries>;
  /** Models whose last reload failed. */
  readonly #outdated = new Set<string>();
  readonly #now: () => number;
  #lastSuccessAt = 0;

  /** @param now Unix time in milliseconds */
  constructor({ registry, log, now }: { registry: Registry; log: Log; now: () => number }) {
    this.#log = log;
    this.#now = now;
    this.#reloads = new CounterFamily(
      registry,
      'verdict_model_reloads_total',
      ['outcome'],
      'Models looked at by reloads, by outcome: loaded (a new version took over), unchanged, removed (its folder is gone), failed (what served before stays), retired (versions that are not wanted any more have ended, others serve).',
    ).byValue('outcome', outcomes);
    this.#seconds = new HistogramFamily(
      registry,
      'verdict_model_reload_seconds',
      [],
      reloadSeconds,
      'Time a reload took for a model that was loaded, removed or failed, or lost versions: until the former version had ended.',
    ).series({});
    this.#unreadable = new CounterFamily(
      registry,
      'verdict_models_folder_unreadable_total',
      [],
      'Reloads that could not read the models folder, so that everything stayed as it was.',
    ).series();
    this.#warmed = new CounterFamily(
      registry,
      'verdict_warm_texts_total',
      ['outcome'],
      'Texts that versions were asked before they took over, by outcome: same (the labels of the version before), flipped (other labels), not_compared (another version had answered, or the labels differ), failed (no answer).',
    ).byValue('outcome', warmOutcomes);
    gauge(
      registry,
      'verdict_model_reload_last_success_timestamp_seconds',
      [],
      'Unix time at which a reload last ended without a failed model. 0 before the first.',
      () => [{ value: this.#lastSuccessAt / 1000 }],
    );
    gauge(
      registry,
      'verdict_models_outdated',
      [],
      'Models whose last reload failed: what they answer is not what the models folder holds.',
      () => [{ value: this.#outdated.size }],
    );
  }

  onModelReloaded(reload: ModelReload, tookMs: number): void {
    const { model, outcome, version, reason, flips, warmUp, retired } = reload;
    this.#countWarmUp(warmUp);
    this.#reloads[outcome].add();
    if (outcome === 'failed') this.#outdated.add(model);
    else this.#outdated.delete(model);
    if (outcome === 'unchanged') {
      this.#log.debug({ model, version }, 'model is unchanged');
      return;
    }
    this.#seconds.observe(tookMs / 1000);
    const took = { took_ms: Math.round(tookMs) };
    if (outcome === 'failed') {
      this.#log.error(
        { model, serving: version, reason, ...took },
        'model could not be reloaded: it stays as it was',
      );
    } else if (outcome === 'removed') {
      this.#log.info({ model, retired, ...took }, 'model removed');
    } else if (outcome === 'retired') {
      this.#log.info({ model, version, retired, ...took }, 'versions of a model retired');
    } else {
      const asked = warmUp === undefined ? {} : { warmUp };
      this.#log.info({ model, version, retired, ...flips, ...asked, ...took }, 'model reloaded');
    }
  }

  #countWarmUp(warmUp: ModelReload['warmUp']): void {
    if (warmUp === undefined) return;
    const { texts, failed, compared, flipped } = warmUp;
    this.#warmed.same.add(compared - flipped);
    this.#warmed.flipped.add(flipped);
    this.#warmed.not_compared.add(texts - failed - compared);
    this.#warmed.failed.add(failed);
  }

  onReloaded(reloads: readonly ModelReload[]): void {
    if (reloads.every(({ outcome }) => outcome !== 'failed')) this.#lastSuccessAt = this.#now();
  }

  onFolderUnreadable(reason: string): void {
    this.#unreadable.add();
    this.#log.error({ reason }, 'the models folder cannot be read: everything stays as it was');
  }

  onEndFailed({ name, version }: { readonly name: string; readonly version: string }, error: unknown): void {
    this.#log.error({ model: name, version, error: String(error) }, 'a former version did not end well');
  }
}
