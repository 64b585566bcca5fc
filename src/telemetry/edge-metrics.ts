import type { Registry } from 'prom-client';
import type { RefusalReason, ShedReason } from '../rpc/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';
import type { EdgeReading } from './types.js';

const shedReasons = ['connection', 'process', 'heap'] as const satisfies readonly ShedReason[];
const refusalReasons = ['peer', 'all'] as const satisfies readonly RefusalReason[];

/** Counts what was refused because callers took up too much. */
export class EdgeCounters {
  readonly #shed: Record<ShedReason, CounterSeries>;
  readonly #refused: Record<RefusalReason, CounterSeries>;

  constructor(registry: Registry) {
    const shed = new CounterFamily(
      registry,
      'verdict_calls_shed_total',
      ['limit'],
      'Calls ended because what is held for callers went beyond a limit: that of their connection, of the process, or of the heap.',
    );
    this.#shed = shed.byValue('limit', shedReasons);
    const refused = new CounterFamily(
      registry,
      'verdict_connections_refused_total',
      ['limit'],
      'Connections dropped on arrival: their peer had as many as one may, or all peers together had.',
    );
    this.#refused = refused.byValue('limit', refusalReasons);
  }

  shed(reason: ShedReason): void {
    this.#shed[reason].add();
  }

  refused(reason: RefusalReason): void {
    this.#refused[reason].add();
  }
}

/** What callers take up, read at scrape. */
export function edgeGauges(registry: Registry, read: () => EdgeReading): void {
  gauge(registry, 'verdict_connections', [], 'Connections open on the gRPC port.', () => [
    { value: read().connections },
  ]);
  gauge(
    registry,
    'verdict_held_bytes',
    [],
    'Bytes held for callers: messages in part, requests that wait for their answers, answers not yet taken.',
    () => [{ value: read().heldBytes }],
  );
}
