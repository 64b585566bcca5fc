import type { CachedPass } from '../load/cached-pass.js';
import type { Findings, Measurement } from '../scenario.js';
import { median, quantile, ratios } from '../statistics.js';
import { IN_FLIGHT } from './beside.js';

/** One pass of each: FastAPI, and Verdict by unary calls. */
export interface ZipfRound {
  readonly peer: CachedPass;
  readonly own: CachedPass;
}

/** Verdict over a stream too. */
export interface SteadyRound extends ZipfRound {
  readonly stream: CachedPass;
}

type Side = keyof ZipfRound;

/** What was served, and how much of it. */
export interface ZipfSetting {
  /** Of the model. */
  readonly title: string;
  readonly threads: number;
  /** Texts that are drawn from. */
  readonly count: number;
  /** Of the pass from empty caches. */
  readonly requests: number;
  /** Of a pass in the steady state. */
  readonly steadyRequests: number;
}

/**
 * What the passes say.
 *
 * @param cold the pieces of the one pass from empty caches
 * @param steady rounds with every text in both caches
 */
export function zipfFindings(
  { title, threads, count, requests, steadyRequests }: ZipfSetting,
  cold: readonly ZipfRound[],
  steady: readonly SteadyRound[],
): Findings {
  const rates = (side: keyof SteadyRound) => steady.map((round) => round[side].textsPerSecond);
  const costs = (side: keyof SteadyRound) => steady.map((round) => round[side].serverMsPerText);
  const tails = (side: Side) => steady.map((round) => quantile(round[side].latenciesMs, 0.99));
  const coldRate = (side: Side) => (1000 * requests) / sum(cold, (round) => round[side].elapsedMs);
  const coldShare = (side: Side, share: (pass: CachedPass) => number) =>
    sum(cold, (round) => share(round[side]) * round[side].latenciesMs.length) / requests;
  const hits = ({ hitRatio }: CachedPass) => hitRatio;
  const load = `${title}, unary, Zipf traffic, ${IN_FLIGHT} in flight`;
  const measurements: Measurement[] = [
    {
      name: `${load}, from empty caches: Verdict / FastAPI, throughput`,
      unit: 'x',
      values: [coldRate('own') / coldRate('peer')],
      reference: computingRates(cold),
      bar: 'fastapi-zipf',
    },
    {
      name: `${load}, steady state: Verdict / FastAPI, throughput`,
      unit: 'x',
      values: ratios(rates('own'), rates('peer')),
      reference: rates('peer'),
      bar: 'fastapi-zipf-steady',
    },
    {
      name: `${load}, steady state: Verdict / FastAPI, p99 latency`,
      unit: 'x',
      values: ratios(tails('own'), tails('peer')),
      reference: tails('peer'),
    },
    {
      name: `${title}, one stream, Zipf traffic, ${IN_FLIGHT} in flight, steady state: Verdict / FastAPI, throughput`,
      unit: 'x',
      values: ratios(rates('stream'), rates('peer')),
      reference: rates('peer'),
    },
    {
      name: 'Steady state: CPU time of the server per text, FastAPI / Verdict, unary',
      unit: 'x',
      values: ratios(costs('peer'), costs('own')),
      reference: costs('peer'),
    },
    {
      name: 'Steady state: CPU time of the server per text, FastAPI / Verdict, one stream',
      unit: 'x',
      values: ratios(costs('peer'), costs('stream')),
      reference: costs('peer'),
    },
    share('From empty caches: share of the texts that its cache answered, Verdict', [coldShare('own', hits)]),
    share('From empty caches: share of the texts that joined a computation under way, Verdict', [
      coldShare('own', ({ bySource, latenciesMs }) => bySource.joined / latenciesMs.length),
    ]),
    share('From empty caches: share of the texts that its cache answered, FastAPI', [
      coldShare('peer', hits),
    ]),
    share(
      'Steady state: share of the texts that its cache answered, Verdict',
      steady.map(({ own }) => own.hitRatio),
    ),
    share(
      'Steady state: share of the texts that its own memory answered, Verdict',
      steady.map(({ own }) => own.memoryHitRatio),
    ),
    share(
      'Steady state: share of the texts that its cache answered, FastAPI',
      steady.map(({ peer }) => peer.hitRatio),
    ),
  ];
  return {
    measurements,
    rounds: [...cold.map((round) => numbers(round, 0)), ...steady.map(steadyNumbers)],
    facts: {
      'texts drawn from': count,
      'requests from empty caches': requests,
      'requests of a pass in the steady state': steadyRequests,
      'pieces of the pass from empty caches': cold.length,
    },
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'Traffic that repeats itself',
        subtitle: `Zipf, s = 1.0 over ${count} texts; ${title}, ${threads} threads`,
        valueAxis: 'texts/s',
        categories: ['from empty caches', 'steady state'],
        series: [
          { name: 'FastAPI + Redis', values: [coldRate('peer'), median(rates('peer'))] },
          { name: 'Verdict + Redis, unary', values: [coldRate('own'), median(rates('own'))] },
          { name: 'Verdict + Redis, one stream', values: [Number.NaN, median(rates('stream'))] },
        ],
      },
    ],
  };
}

function share(name: string, values: readonly number[]): Measurement {
  return { name, unit: 'of 1', values };
}

/** Texts that FastAPI computed per second, piece by piece: the shares of hits differ, what a miss costs should not. */
function computingRates(pieces: readonly ZipfRound[]): number[] {
  return pieces
    .map(({ peer }) => (1 - peer.hitRatio) * peer.textsPerSecond)
    .filter((computedPerSecond) => computedPerSecond > 0);
}

function numbers({ peer, own }: ZipfRound, steady: 0 | 1): Record<string, number> {
  return {
    steady,
    fastapiTextsPerSecond: peer.textsPerSecond,
    fastapiHitRatio: peer.hitRatio,
    fastapiServerMsPerText: peer.serverMsPerText,
    verdictTextsPerSecond: own.textsPerSecond,
    verdictHitRatio: own.hitRatio,
    verdictMemoryHitRatio: own.memoryHitRatio,
    verdictServerMsPerText: own.serverMsPerText,
  };
}

function steadyNumbers({ stream, ...round }: SteadyRound): Record<string, number> {
  return {
    ...numbers(round, 1),
    verdictStreamTextsPerSecond: stream.textsPerSecond,
    verdictStreamServerMsPerText: stream.serverMsPerText,
  };
}

function sum(rounds: readonly ZipfRound[], value: (round: ZipfRound) => number): number {
  return rounds.reduce((total, round) => total + value(round), 0);
}
