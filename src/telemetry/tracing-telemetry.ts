import type { Registry } from 'prom-client';
import type { TracingHooks } from '../tracing/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import type { LineLimiter } from './line-limiter.js';
import type { Log } from './types.js';

type SpanOutcome = Parameters<NonNullable<TracingHooks['onSpans']>>[0];

const outcomes = ['exported', 'failed', 'dropped'] as const satisfies readonly SpanOutcome[];
const maxTroubleChars = 300;

/** What becomes of spans. */
export class TracingTelemetry implements TracingHooks {
  readonly #log: Log;
  readonly #limiter: LineLimiter;
  readonly #spans: Record<SpanOutcome, CounterSeries>;
  readonly #refused: CounterSeries;

  constructor({ registry, log, limiter }: { registry: Registry; log: Log; limiter: LineLimiter }) {
    this.#log = log;
    this.#limiter = limiter;
    this.#spans = new CounterFamily(
      registry,
      'verdict_trace_spans_total',
      ['outcome'],
      'Spans by what became of them: exported, failed (the collector did not take them in time), dropped (too many waited for it).',
    ).byValue('outcome', outcomes);
    this.#refused = new CounterFamily(
      registry,
      'verdict_trace_requests_refused_total',
      [],
      'Calls that said they are to be traced after VERDICT_TRACING_ASKED_PER_MINUTE others had said so. The sample ratio decided about them.',
    ).series();
  }

  onSpans(outcome: SpanOutcome, count: number): void {
    this.#spans[outcome].add(count);
  }

  onExportFailed(trouble: string): void {
    const suppressed = this.#limiter.pass();
    if (suppressed === undefined) return;
    this.#log.warn({ trouble: trouble.slice(0, maxTroubleChars), suppressed }, 'spans could not be exported');
  }

  onRequestRefused(): void {
    this.#refused.add();
  }
}
