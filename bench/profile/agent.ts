import { Session } from 'node:inspector/promises';

// Loaded into the server before its own code (`--import`), and asked over IPC: profiles the thread that serves calls,
// from the moment that the load is on.

/** What the agent is asked. */
export type AgentRequest = 'start' | 'stop';

/** What it answers to `stop`, as V8's inspector has it. */
export interface Profiles {
  readonly cpu: object;
  readonly heap: object;
}

const SAMPLE_INTERVAL_US = 200;
/** One sample per so many bytes allocated, on average. */
const SAMPLE_BYTES = 16_384;

const session = new Session();

process.on('message', ({ request }: { readonly request: AgentRequest }) => {
  const answer = request === 'start' ? start() : stop();
  answer.then(
    (profiles) => process.send?.(profiles),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// The server ends when it has nothing left to do, and answering here is not its business.
process.channel?.unref();

async function start(): Promise<object> {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_INTERVAL_US });
  // What is collected again counts too: it is garbage that costs time.
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: SAMPLE_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  } as object);
  await session.post('Profiler.start');
  return {};
}

async function stop(): Promise<Profiles> {
  const { profile: cpu } = await session.post('Profiler.stop');
  const { profile: heap } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  return { cpu, heap };
}
