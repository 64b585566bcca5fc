import type { Scenario } from './scenario.js';
import { eventLoop } from './scenarios/event-loop.js';
import { inFlight } from './scenarios/in-flight.js';
import { oneInFlight } from './scenarios/one-in-flight.js';
import { policies } from './scenarios/policies.js';
import { precision } from './scenarios/precision.js';
import { saturatedStream } from './scenarios/saturated-stream.js';
import { startup } from './scenarios/startup.js';

/** All that `npm run bench -- all` runs, in this order. */
export const scenarios: readonly Scenario[] = [
  saturatedStream,
  policies,
  precision,
  inFlight,
  oneInFlight,
  eventLoop,
  startup,
];
