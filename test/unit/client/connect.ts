import { after } from 'node:test';
import { VerdictClient, type VerdictClientOptions } from '../../../clients/typescript/src/index.js';
import { type Behaviour, startTestServer } from './test-server.js';

const open: { close(): void }[] = [];
after(() => {
  for (const opened of open) opened.close();
});

/** What is closed once all tests of the file have ended. */
export function closeAtEnd<T extends { close(): void }>(opened: T): T {
  open.push(opened);
  return opened;
}

/** A client of a server of its own. */
export async function connect(
  behaviour: Behaviour,
  options: VerdictClientOptions = {},
): Promise<VerdictClient> {
  const server = closeAtEnd(await startTestServer(behaviour));
  return closeAtEnd(new VerdictClient({ address: server.address, ...options }));
}
