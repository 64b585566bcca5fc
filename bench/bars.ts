/** What a median is held against; both ends are included. */
export type Limit = { readonly atLeast: number } | { readonly atMost: number };

/** One line of the table in docs/benchmarks.md: what has to be measured, and how good it has to be. */
export interface Bar {
  readonly title: string;
  readonly limit: Limit;
  /** `x` for ratios. */
  readonly unit: string;
  /** The model that the bar speaks of; a measurement of another one is no evidence. Left out: any. */
  readonly model?: 'base';
  /** One long pass tells: a soak, or a pass in pieces that took turns with another's. */
  readonly onePass?: true;
}

const base = { unit: 'x', model: 'base' } as const;

/** Every bar, in the order of the table. A scenario names the ones that it measures. */
export const bars = {
  'stream-256-tight': {
    ...base,
    title: 'Saturated stream, 256 in flight, fp32, tight mix: served / raw ceiling',
    limit: { atLeast: 0.95 },
  },
  'stream-256-wide': {
    ...base,
    title: 'Saturated stream, 256 in flight, fp32, wide mix: served / raw ceiling',
    limit: { atLeast: 0.95 },
  },
  'stream-32-tight': {
    ...base,
    title: 'Stream, 32 in flight, fp32, tight mix: served / raw ceiling',
    limit: { atLeast: 0.85 },
  },
  'stream-32-wide': {
    ...base,
    title: 'Stream, 32 in flight, fp32, wide mix: served / raw ceiling',
    limit: { atLeast: 0.85 },
  },
  'fifo-rate-tight': {
    ...base,
    title: 'Throughput against `fifo` of 8, 32 in flight, fp32, tight mix',
    limit: { atLeast: 1.25 },
  },
  'fifo-rate-wide': {
    ...base,
    title: 'Throughput against `fifo` of 8, 32 in flight, fp32, wide mix',
    limit: { atLeast: 3 },
  },
  'fifo-p99-tight': {
    ...base,
    title: 'p99 latency against `fifo` of 8, 32 in flight, fp32, tight mix',
    limit: { atMost: 1.2 },
  },
  'fifo-p99-wide': {
    ...base,
    title: 'p99 latency against `fifo` of 8, 32 in flight, fp32, wide mix',
    limit: { atMost: 0.5 },
  },
  'int8-amx': {
    ...base,
    title: 'int8 against fp32, whole service, CPU with AMX int8',
    limit: { atLeast: 4 },
  },
  'int8-vnni': {
    ...base,
    title: 'int8 against fp32, whole service, CPU with VNNI alone',
    limit: { atLeast: 2.5 },
  },
  'fastapi-auto': {
    ...base,
    title: 'Against the FastAPI baseline, 32 in flight, no cache, `precision: auto`',
    limit: { atLeast: 10 },
  },
  'fastapi-fp32': {
    ...base,
    title: 'Against the FastAPI baseline, 32 in flight, no cache, fp32',
    limit: { atLeast: 2.5 },
  },
  'fastapi-zipf': {
    ...base,
    title:
      'Against the FastAPI baseline, Zipf traffic (s = 1.0, 10,000 texts), both caching in Redis, fp32: from empty caches',
    limit: { atLeast: 5 },
    onePass: true,
  },
  'fastapi-zipf-steady': {
    ...base,
    title: 'The same: steady state, every text asked before',
    limit: { atLeast: 5 },
  },
  'one-in-flight': {
    ...base,
    title: 'One in flight, p50: served / (raw ONNX run + twice a bare echo)',
    limit: { atMost: 1 },
  },
  'cache-hit-unary': {
    title: 'Cache hits, unary: server CPU per call / bare grpc-js echo',
    unit: 'x',
    limit: { atMost: 1.5 },
  },
  'cache-hit-stream': {
    title: 'Cache hits, stream: server CPU per item / bare stream echo',
    unit: 'x',
    limit: { atMost: 2 },
  },
  'padding-tight': {
    ...base,
    title: 'Padded to real tokens, 256 in flight, tight mix',
    limit: { atMost: 1.12 },
  },
  'padding-wide': {
    ...base,
    title: 'Padded to real tokens, 256 in flight, wide mix',
    limit: { atMost: 1.2 },
  },
  'overload-goodput': {
    ...base,
    title: 'Open loop at twice the saturation rate, int8, 500 ms deadlines: goodput / saturated throughput',
    limit: { atLeast: 0.95 },
  },
  'overload-refusal': {
    ...base,
    title: 'The same: p99 of a refusal / p99 of a bare echo',
    limit: { atMost: 10 },
  },
  'overload-retry-info': {
    ...base,
    title: 'The same: share of refusals that carry RetryInfo',
    unit: '',
    limit: { atLeast: 1 },
  },
  'overload-expired': {
    ...base,
    title: 'The same: expired items that reached a session',
    unit: 'items',
    limit: { atMost: 0 },
  },
  'mixed-in-time': {
    ...base,
    title: 'Bulk streams saturating, int8: share of 10 unary calls/s answered within 200 ms',
    unit: '',
    limit: { atLeast: 0.99 },
  },
  'mixed-bulk': {
    ...base,
    title: 'The same: bulk throughput / bulk throughput alone',
    limit: { atLeast: 0.85 },
  },
  'guarded-call': {
    title: 'API keys, limits in memory, 1 % of traces: server CPU per cached unary call / the same without',
    unit: 'x',
    limit: { atMost: 1.15 },
  },
  'open-inference-call': {
    title: 'Open Inference Protocol: server CPU per cached ModelInfer / the same over Classify',
    unit: 'x',
    limit: { atMost: 1.2 },
  },
  'event-loop': {
    title: 'Event-loop delay p99 (resolution 1 ms), saturated',
    unit: 'ms',
    limit: { atMost: 10 },
  },
  'memory-cache-off': {
    title:
      'Memory, 10 minutes saturated, cache off: largest deviation of a per-minute median after the second minute',
    unit: '%',
    limit: { atMost: 5 },
    onePass: true,
  },
  'memory-cache-full': {
    title:
      'Memory, 10 minutes saturated, cache full: largest deviation of a per-minute median after the second minute',
    unit: '%',
    limit: { atMost: 5 },
    onePass: true,
  },
  startup: {
    title: '`node` started to SERVING, embedded models',
    unit: 'ms',
    limit: { atMost: 3_000 },
  },
} as const satisfies Record<string, Bar>;

export type BarId = keyof typeof bars;

export const barIds = Object.keys(bars) as BarId[];
