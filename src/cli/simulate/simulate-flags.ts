import { CONNECTION_FLAGS } from '../connection-flags.js';
import type { FlagValues } from '../flags.js';

const count = (help: string, min = 1) => ({ kind: 'number', integer: true, min, value: 'N', help }) as const;
const ms = (help: string, min = 0) => ({ kind: 'number', min, value: 'MS', help }) as const;

export const SIMULATE_FLAGS = {
  policy: {
    kind: 'text',
    value: 'NAME[:ITEMS],...',
    help: 'policies to compare: length, fifo, window, each with its own most items in a batch (default length)',
  },
  curve: {
    kind: 'text',
    value: 'BASE,TOKEN,SQUARE',
    help: 'what a run costs in ms: base, per padded token, per input and squared length (default 4,0.55,0.0002)',
  },
  model: {
    kind: 'text',
    value: 'NAME',
    help: 'take curve, budget and sessions from this model of a running server, and replay only its arrivals',
  },
  runners: count("sessions (default: the model's, else 1)"),
  'budget-tokens': count("padded tokens of one batch (default: the model's, else 512)"),
  'max-items': count('inputs of one batch (default 256)'),
  'max-run-ms': ms('predicted run time of one batch; 0: no cap (default 250)'),
  'max-run-percent': count(
    'the same in per cent of the tightest deadline in the queue; 0: no cap (default 25)',
    0,
  ),
  'max-delay-ms': ms('wait for a fuller batch (default 0; for window 10)'),
  'max-age-ms': ms('wait from which an input goes before younger ones (default 1000)', 1),
  'look-ahead': count('queued inputs that a batch is chosen from (default 512)'),
  'max-queue-items': count('inputs that may wait (default 4096)'),
  'max-queue-tokens': count('tokens that may wait (default 524288)'),
  'interactive-weight': count('tokens for the interactive class for each of the bulk class (default 4)'),
  rate: {
    kind: 'number',
    min: 0.01,
    value: 'N',
    help: 'interactive inputs per second, arriving at random (Poisson)',
  },
  'deadline-ms': ms('how long interactive callers wait (default 30000)', 1),
  streams: count('bulk streams that always have something to send'),
  'in-flight': count('inputs that each stream has under way (default 64)'),
  'stream-deadline-ms': ms('how long each input of a stream may take (default 30000)', 1),
  lengths: {
    kind: 'text',
    value: 'tight|wide|N',
    help: 'tokens of an input: mean 27 (95th percentile 47), mean 42 (98, up to 512), or always N (default tight)',
  },
  'stream-lengths': {
    kind: 'text',
    value: 'tight|wide|N',
    help: 'the same for streams (default: as --lengths)',
  },
  trace: { kind: 'text', value: 'FILE', help: 'replay the arrivals of a recorded trace' },
  speed: { kind: 'number', min: 0.001, value: 'N', help: 'replay it this many times as fast (default 1)' },
  'duration-s': {
    kind: 'number',
    min: 0.001,
    value: 'S',
    help: 'arrivals end after this time (default 60; with a trace, its end)',
  },
  items: count('arrivals end with this many'),
  'warm-up-s': { kind: 'number', min: 0, value: 'S', help: 'what comes earlier is not reported (default 0)' },
  noise: {
    kind: 'number',
    min: 0,
    value: 'N',
    help: 'how far run times stray from the curve: 0.1 is about 10 % (default 0)',
  },
  seed: count('another seed, other arrivals; the same one, the same result (default 1)', 0),
  'p99-ms': ms(
    'find the highest --rate at which 99 % of the interactive inputs are answered within this time',
    1,
  ),
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export type SimulateValues = FlagValues<typeof SIMULATE_FLAGS>;
