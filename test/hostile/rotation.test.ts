import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { newKey } from '../../src/auth/key-format.js';
import { Authority, type Pair } from '../support/certificates.js';
import { TestKeyFile } from '../support/key-files.js';
import { Repeated } from '../support/repeated.js';
import { startService } from '../support/started-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { serverPair, TlsFiles } from '../support/tls-files.js';
import { until } from '../support/until.js';

const rounds = 2;
const callersOfEachKind = 2;

/** What a caller shows: the certificate of its connection, and its key. */
interface Ticket {
  readonly pair: Pair;
  readonly key: string;
}

describe('certificates and keys that change under load', { timeout: 240_000 }, () => {
  it('let in every call that shows what is good, and none that shows what is not', async (t) => {
    const authority = new Authority();
    const files = new TestKeyFile(temporaryFolder(t));
    const lasting = files.add('lasting');
    const clientOf = (round: number) => new Authority(`clients of round ${round}`);
    const issue = (of: Authority) => of.issue({ name: 'web', sans: ['DNS:web.test'] });
    let clients = clientOf(0);
    let good: Ticket = { pair: issue(clients), key: files.add('round-0') };
    files.write();
    const tls = new TlsFiles(t, serverPair(authority), clients.cert);
    const service = await startService(t, {
      ...tls.mutualSettings,
      VERDICT_API_KEYS_FILE: files.path,
    });
    const { server } = service;
    const open = ({ pair, key }: Ticket) =>
      new VerdictClient({
        address: server.address,
        tls: { ca: authority.cert, ...pair },
        apiKey: key,
        retry: false,
      });
    const once = async (ticket: Ticket) => {
      const client = open(ticket);
      try {
        await client.classify('the coach', { timeoutMs: 20_000 });
      } finally {
        client.close();
      }
    };
    const refused = async (ticket: Ticket, code: string) => {
      let outcome = 'it was let in';
      await once(ticket).catch((error: { readonly code?: string }) => {
        outcome = String(error.code);
      });
      assert.equal(outcome, code);
    };

    // Connections that outlast every certificate, with a key that stays; and new ones with what is good at the moment.
    const standing = open({ ...good, key: lasting });
    t.after(() => standing.close());
    const many = (step: () => Promise<void>) =>
      Array.from({ length: callersOfEachKind }, () => new Repeated(step));
    const staying = many(async () => {
      await standing.classify('the coach', { timeoutMs: 20_000 });
    });
    const coming = many(() => once(good));
    const former: Ticket[] = [];
    const oldest = () => former[Math.floor(Math.random() * former.length)];
    const revoked = many(async () => {
      const ticket = oldest();
      await refused({ pair: good.pair, key: ticket?.key ?? newKey('lasting') }, 'UNAUTHENTICATED');
    });
    const withdrawn = many(async () => {
      const pair = oldest()?.pair ?? issue(new Authority());
      await refused({ pair, key: lasting }, 'UNAVAILABLE');
    });
    const callers = { staying, coming, revoked, withdrawn };
    const all = Object.values(callers).flat();
    t.after(() => Promise.all(all.map((caller) => caller.stop())));
    const settled = () => Promise.all(all.map((caller) => caller.settled()));

    const loads = () => server.metric('verdict_tls_loads_total');
    const swap = async (authorities: string) => {
      const before = await loads();
      tls.swap(serverPair(authority), authorities);
      await until('the certificates are taken', async () => (await loads()) > before);
    };
    const takeKeys = async (count: number) => {
      files.write();
      await until('the keys are taken', async () => (await server.metric('verdict_auth_keys')) === count);
    };
    for (let round = 1; round <= rounds; round++) {
      const next = clientOf(round);
      const key = files.add(`round-${round}`);
      await Promise.all([swap(clients.cert + next.cert), takeKeys(3)]);
      const last = good;
      good = { pair: issue(next), key };
      // What still shows the old is over before the old goes.
      await settled();
      files.remove(`round-${round - 1}`);
      await Promise.all([swap(next.cert), takeKeys(2)]);
      clients = next;
      // From here on what was good lets nobody in.
      former.push(last);
      // Files that are of no use change nothing.
      files.write('keys: nonsense');
      tls.swap({ ...serverPair(authority), key: serverPair(authority).key }, next.cert);
      await until('the files are found to be of no use', async () => {
        const unusable = ['verdict_auth_file_unusable', 'verdict_tls_files_unusable'];
        return (await Promise.all(unusable.map((name) => server.metric(name)))).every((value) => value === 1);
      });
      await settled();
    }
    await Promise.all(all.map((caller) => caller.stop()));
    for (const [kind, some] of Object.entries(callers)) {
      for (const { failures, times } of some) {
        assert.deepEqual(failures, [], kind);
        assert.ok(times >= 2 * rounds, `${kind}: ${times} times`);
      }
    }
  });
});
