import type { Registry } from 'prom-client';
import type { CandidateName, ComparisonHooks, RollbackReport } from '../comparison/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { HistogramFamily, type HistogramSeries } from './histogram-family.js';
import type { Log, VersionLabels } from './types.js';

type RollbackCause = RollbackReport['cause'];
type Outcome = 'compared' | 'failed' | 'dropped';

const outcomes: readonly Outcome[] = ['compared', 'failed', 'dropped'];
const causes = Object.keys({ errors: 0, flips: 0 } satisfies Record<RollbackCause, 0>) as RollbackCause[];

/** Differences of probabilities: from another rounding to another answer. */
const shifts = [0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

interface CandidateSeries {
  readonly inputs: Record<Outcome, CounterSeries>;
  readonly flips: CounterSeries;
  readonly shift: HistogramSeries;
}

/** Comparisons of candidates with other versions, and what came of them. */
export class ComparisonTelemetry implements ComparisonHooks {
  readonly #log: Log;
  readonly #inputs: CounterFamily;
  readonly #flips: CounterFamily;
  readonly #shift: HistogramFamily;
  readonly #rollbacks: Record<RollbackCause, CounterSeries>;
  /** By model and version. */
  readonly #candidates = new Map<string, CandidateSeries>();

  constructor({ registry, log }: { registry: Registry; log: Log }) {
    this.#log = log;
    this.#inputs = new CounterFamily(
      registry,
      'verdict_shadow_inputs_total',
      ['model', 'version', 'outcome'],
      'Inputs that a candidate was to be compared by, by outcome: compared, failed (the version that was asked on the side gave no answer), dropped (the server was busy, or the version was away). version is the candidate.',
    );
    this.#flips = new CounterFamily(
      registry,
      'verdict_shadow_flips_total',
      ['model', 'version'],
      'Compared inputs that got other labels by the candidate.',
    );
    this.#shift = new HistogramFamily(
      registry,
      'verdict_shadow_shift',
      ['model', 'version'],
      shifts,
      "Largest difference of a label's probability between the candidate and the version it is compared with, for each compared input. With a regression: of the value.",
    );
    this.#rollbacks = new CounterFamily(
      registry,
      'verdict_rollbacks_total',
      ['cause'],
      'Candidates that lost their traffic to a stable version, by the limit that was passed: errors or flips.',
    ).byValue('cause', causes);
  }

  onCompared(candidate: CandidateName, isFlipped: boolean, shift: number): void {
    const series = this.#seriesOf(candidate);
    series.inputs.compared.add();
    if (isFlipped) series.flips.add();
    series.shift.observe(shift);
  }

  onNotCompared(candidate: CandidateName, outcome: 'failed' | 'dropped'): void {
    this.#seriesOf(candidate).inputs[outcome].add();
  }

  onRolledBack({ model, version, stable, cause, count, observations, isKept }: RollbackReport): void {
    this.#rollbacks[cause].add();
    const facts = { model, version, stable, cause, count, observations, isKept };
    // An act like those of administrators, with nobody behind it.
    this.#log.warn({ method: 'RollBack', identity: 'server', arguments: facts }, 'administration');
    this.#log.error(facts, 'a candidate lost its traffic');
  }

  onRollbackFailed({ model, version }: CandidateName, reason: string): void {
    this.#log.error({ model, version, reason }, 'a candidate passed a limit and could not lose its traffic');
  }

  /** Forgets a version. */
  forget(of: VersionLabels): void {
    this.#candidates.delete(`${of.model}/${of.version}`);
    for (const family of [this.#inputs, this.#flips, this.#shift]) family.forget(of);
  }

  /** Created when a candidate is first compared: most versions never are. */
  #seriesOf({ model, version }: CandidateName): CandidateSeries {
    const key = `${model}/${version}`;
    const known = this.#candidates.get(key);
    if (known !== undefined) return known;
    const of = { model, version };
    const added = {
      inputs: this.#inputs.byValue('outcome', outcomes, of),
      flips: this.#flips.series(of),
      shift: this.#shift.series(of),
    };
    this.#candidates.set(key, added);
    return added;
  }
}
