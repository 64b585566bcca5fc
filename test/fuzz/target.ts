import assert from 'node:assert/strict';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { atRest } from '../hostile/withstands.js';
import { Authority } from '../support/certificates.js';
import { httpCall } from '../support/envoy-service.js';
import { HeldMemory } from '../support/held-memory.js';
import { at } from '../support/json-value.js';
import { residentMemory } from '../support/resident-memory.js';
import { Service } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TlsBridge } from '../support/tls-bridge.js';
import { serverPair, TlsFiles } from '../support/tls-files.js';
import { marker } from './marker.js';

const mebibyte = 2 ** 20;
/** What garbage that is not collected yet may add while inputs come. */
const GROWTH_BYTES = 256 * mebibyte;
/** What may be held more after all of them than after the first ones. */
const HELD_GROWTH_BYTES = 8 * mebibyte;

/** A connection that left while the server was not reading from it is found by a keep-alive ping. */
const AT_REST_MS = 120_000;

/** A real server to be fuzzed, and what must hold of it. */
export class FuzzTarget {
  /** Of the gRPC server. */
  readonly port: number;
  /** Of the HTTP server. */
  readonly httpUrl: string;
  readonly #service: Service;
  readonly #client: VerdictClient;
  readonly #held: HeldMemory;
  readonly #cleanUps: readonly (() => void)[];
  #warmBytes = 0;
  #warmHeldBytes = 0;
  /** Lines of the log that were looked at. */
  #lines = 0;

  private constructor(
    service: Service,
    { port, httpUrl }: { readonly port: number; readonly httpUrl: string },
    held: HeldMemory,
    cleanUps: readonly (() => void)[],
  ) {
    this.#service = service;
    this.port = port;
    this.httpUrl = httpUrl;
    this.#client = new VerdictClient({ address: `127.0.0.1:${port}`, retry: false });
    this.#held = held;
    this.#cleanUps = cleanUps;
  }

  /** @param tls the server speaks TLS, and the ports lead to it through bridges */
  static async start(tls: boolean): Promise<FuzzTarget> {
    const cleanUps: (() => void)[] = [];
    const later = { after: (step: () => void) => cleanUps.push(step) };
    const held = new HeldMemory(temporaryFolder(later));
    const settings = {
      ...held.settings,
      // Connections that broke the protocol stand until a look at them, a second or two later; no new one is to be refused.
      VERDICT_MAX_CONNECTIONS: '20000',
      VERDICT_MAX_CONNECTIONS_PER_PEER: '10000',
      // It is full soon, and then holds no more.
      VERDICT_CACHE_MAX_BYTES: '1000000',
    };
    if (!tls) {
      const service = await Service.start(['topics'], settings);
      return new FuzzTarget(service, { port: service.port, httpUrl: service.server.httpUrl }, held, cleanUps);
    }
    const authority = new Authority();
    const files = new TlsFiles(later, serverPair(authority));
    const service = await Service.start(['topics'], { ...settings, ...files.settings });
    const bridge = await TlsBridge.open(service.port, authority.cert);
    const httpPort = Number(new URL(service.server.httpUrl).port);
    const httpBridge = await TlsBridge.open(httpPort, authority.cert, 'http/1.1');
    cleanUps.push(
      () => bridge.close(),
      () => httpBridge.close(),
    );
    const ports = { port: bridge.port, httpUrl: `http://127.0.0.1:${httpBridge.port}` };
    return new FuzzTarget(service, ports, held, cleanUps);
  }

  async stop(): Promise<void> {
    this.#client.close();
    await this.#service.stop();
    for (const step of this.#cleanUps) step();
  }

  /**
   * The server answers sound calls over both ports rightly, has blamed no defect of its own and logged no text, and its memory does not
   * grow.
   * @throws AssertionError where one of these fails; the client's error
   */
  async check(): Promise<void> {
    const { server } = this.#service;
    const { label } = await this.#client.classify('match', { cache: 'bypass', timeoutMs: 10_000 });
    assert.equal(label, 'sports');
    const { json } = await httpCall(`${this.httpUrl}/predict`, {
      ...{ method: 'POST', body: JSON.stringify({ inputs: 'match' }) },
      signal: AbortSignal.timeout(10_000),
    });
    assert.equal(at(json, 0, 'label'), 'sports');
    const blamed = server.log.filter(
      ({ level, code }) => level === 'error' || level === 'fatal' || code === 'INTERNAL',
    );
    assert.deepEqual(blamed, []);
    assert.deepEqual(server.complaints, []);
    const told = server.log.slice(this.#lines).filter((line) => JSON.stringify(line).includes(marker));
    this.#lines = server.log.length;
    assert.deepEqual(told, [], 'a text is in the log');
    const grown = () => residentMemory(server.pid).nowBytes - this.#warmBytes;
    this.#warmBytes ||= grown();
    this.#warmHeldBytes ||= await this.#held.bytes(server);
    let growth = grown();
    if (growth >= GROWTH_BYTES) {
      // It may be garbage that V8 has had no reason to collect yet.
      await this.#held.bytes(server);
      growth = grown();
    }
    assert.ok(growth < GROWTH_BYTES, `memory grew by ${Math.round(growth / mebibyte)} MiB`);
  }

  /** All callers have gone: nothing is held for them, and no more than after the first inputs for anything else. */
  async checkAtRest(): Promise<void> {
    await atRest(this.#service, AT_REST_MS);
    await this.check();
    const growth = (await this.#held.bytes(this.#service.server)) - this.#warmHeldBytes;
    assert.ok(growth < HELD_GROWTH_BYTES, `what is held grew by ${(growth / mebibyte).toFixed(1)} MiB`);
  }
}
