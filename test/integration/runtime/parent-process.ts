import { openSession } from '../../../src/runtime/open-session.js';
import { fixtureModel } from './fixture-session.js';

/* A stand-in for the server, to be killed: opens a session, starts a run if told to, prints the session's pid. */
const mode = process.argv[2] ?? 'idle';
const { spec, inputs } = fixtureModel('slow');
const session = await openSession(spec, {
  openTimeoutMs: 30_000,
  runTimeoutMs: 60_000,
  watchServer: mode.includes('watched'),
});
const running = mode.includes('running') ? session.run(inputs) : undefined;
console.log(session.info.pid);
await running;
setInterval(() => {}, 1000);
