import type { Registry } from 'prom-client';
import type { ClassifierHooks } from '../classify/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { type ClassifiedInput, type InputStatus, inputStatuses, statusOf } from './input-status.js';
import type { AliasLabels } from './types.js';

type AliasSeries = Record<InputStatus, CounterSeries>;

/** Inputs that came by an alias. Only aliases that there are have series. */
export class AliasMetrics implements ClassifierHooks {
  readonly #inputs: CounterFamily;
  /** By model and alias. */
  #models = new Map<string, Map<string, AliasSeries>>();

  constructor(registry: Registry) {
    this.#inputs = new CounterFamily(
      registry,
      'verdict_alias_inputs_total',
      ['model', 'alias', 'status'],
      'Inputs whose request named a version by an alias, by outcome: success, cache_hit, error. They count in inference_requests_total too. An alias of a version that is not loaded counts nothing; the series end with the alias.',
    );
  }

  /** Begins series for new aliases, at 0, and ends those of aliases that are gone. */
  set(aliases: readonly AliasLabels[]): void {
    const former = this.#models;
    this.#models = new Map();
    for (const { model, alias } of aliases) {
      const kept = former.get(model)?.get(alias);
      const series = kept ?? this.#inputs.byValue('status', inputStatuses, { model, alias });
      former.get(model)?.delete(alias);
      this.#models.set(model, (this.#models.get(model) ?? new Map()).set(alias, series));
    }
    for (const [model, gone] of former)
      for (const alias of gone.keys()) this.#inputs.forget({ model, alias });
  }

  onInput({ model, alias, outcome }: ClassifiedInput): void {
    if (alias !== '') this.#models.get(model)?.get(alias)?.[statusOf[outcome]].add();
  }
}
