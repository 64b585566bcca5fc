/** Events for telemetry. None may throw. */
export interface TracingHooks {
  /**
   * Spans have left: `exported`, the collector took them; `failed`, it did not; `dropped`, too many waited for it.
   */
  onSpans?(outcome: 'exported' | 'failed' | 'dropped', count: number): void;
  /** The collector did not take spans. `trouble` is the exporter's message. */
  onExportFailed?(trouble: string): void;
  /** A caller asked for a trace of its call, and callers have asked too often. */
  onRequestRefused?(): void;
}
