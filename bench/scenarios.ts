import type { Scenario } from './scenario.js';
import { cacheHits } from './scenarios/cache-hits.js';
import { envoy } from './scenarios/envoy.js';
import { eventLoop } from './scenarios/event-loop.js';
import { fastapi } from './scenarios/fastapi.js';
import { fastapiZipf } from './scenarios/fastapi-zipf.js';
import { frontEnd } from './scenarios/front-end.js';
import { guarded } from './scenarios/guarded.js';
import { inFlight } from './scenarios/in-flight.js';
import { memory } from './scenarios/memory.js';
import { mixed } from './scenarios/mixed.js';
import { oneInFlight } from './scenarios/one-in-flight.js';
import { openInference } from './scenarios/open-inference.js';
import { openLoop } from './scenarios/open-loop.js';
import { overload } from './scenarios/overload.js';
import { policies } from './scenarios/policies.js';
import { precision } from './scenarios/precision.js';
import { protocols } from './scenarios/protocols.js';
import { saturatedStream } from './scenarios/saturated-stream.js';
import { sessions } from './scenarios/sessions.js';
import { startup } from './scenarios/startup.js';
import { tei } from './scenarios/tei.js';

/** All that `npm run bench -- all` runs, in this order. */
export const scenarios: readonly Scenario[] = [
  saturatedStream,
  policies,
  precision,
  inFlight,
  oneInFlight,
  eventLoop,
  startup,
  cacheHits,
  guarded,
  protocols,
  fastapi,
  fastapiZipf,
  tei,
  openInference,
  openLoop,
  overload,
  mixed,
  sessions,
  frontEnd,
  envoy,
  memory,
];
