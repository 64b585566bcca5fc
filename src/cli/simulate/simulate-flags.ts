import { CONNECTION_FLAGS } from '../connection-flags.js';
import type { FlagValues } from '../flags.js';

const count = (help: string, min = 1) => ({ kind: 'number', integer: true, min, value: 'N', help }) as const;
const ms = (help: string, min = 0) => ({ kind: 'number', min, value: 'MS', help }) as const;

export const SIMULATE_FLAGS = {
  policy: {
    kind: 'text',
    value: 'NAME[:ITEMS],...',
    help: 'policies to compare: length, fifo, window, each with an optional batch size (default length)',
  },
  curve: {
    kind: 'text',
    value: 'BASE,TOKEN,SQUARE',
    help: 'cost of a run in ms: base, per padded token, per input and squared length (default 4,0.55,0.0002)',
  },
  model: {
    kind: 'text',
    value: 'NAME',
    help: 'take curve, budget and sessions from this model of a running server, and replay only its arrivals',
  },
  runners: count("sessions (default: the model's, else 1)"),
  'budget-tokens': count("most padded tokens in one batch (default: the model's, else 512)"),
  'max-items': count('most inputs in one batch (default 256)'),
  'max-run-ms': ms('longest predicted run time of one batch; 0: no limit (default 250)'),
  'max-run-percent': count(
    'the same, as a percentage of the tightest deadline in the queue; 0: no limit (default 25)',
    0,
  ),
  'max-delay-ms': ms('how long to wait for a fuller batch (default 0; for window 10)'),
  'max-age-ms': ms('wait after which an input goes ahead of later ones (default 1000)', 1),
  'look-ahead': count('how many queued inputs to choose a batch from (default 512)'),
  'max-queue-items': count('most inputs that may wait (default 4096)'),
  'max-queue-tokens': count('most tokens that may wait (default 524288)'),
  'interactive-weight': count('tokens for the interactive class per token for the bulk class (default 4)'),
  rate: {
    kind: 'number',
    min: 0.01,
    value: 'N',
    help: 'interactive inputs per second, arriving at random (Poisson)',
  },
  'deadline-ms': ms('how long interactive callers wait (default 30000)', 1),
  streams: count('bulk streams that always have something to send'),
  'in-flight': count('inputs that each stream has in flight (default 64)'),
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
  speed: {
    kind: 'number',
    min: 0.001,
    value: 'N',
    help: 'replay the trace this many times as fast (default 1)',
  },
  'duration-s': {
    kind: 'number',
    min: 0.001,
    value: 'S',
    help: 'stop the arrivals after this time (default 60; with a trace, at its end)',
  },
  items: count('stop the arrivals after this many'),
  'warm-up-s': {
    kind: 'number',
    min: 0,
    value: 'S',
    help: 'leave arrivals before this time out of the report (default 0)',
  },
  noise: {
    kind: 'number',
    min: 0,
    value: 'N',
    help: 'how far run times stray from the curve: 0.1 means about 10 % (default 0)',
  },
  seed: count('seed of the random numbers; the same seed gives the same result (default 1)', 0),
  'p99-ms': ms(
    'find the highest --rate at which 99 % of the interactive inputs are answered within this time',
    1,
  ),
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export type SimulateValues = FlagValues<typeof SIMULATE_FLAGS>;
