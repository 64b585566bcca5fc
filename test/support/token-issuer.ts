import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

export const audience = 'verdict';

/** An identity provider: it signs tokens, and publishes its keys over HTTP. */
export class TokenIssuer {
  readonly #server: Server;
  readonly #pairs = new Map<string, Pair>();
  #kid = '';
  /** Answers with this status instead of the keys. */
  failing: number | undefined;
  /** Answered in place of the keys. */
  body: string | undefined;
  /** Requests for the keys get no answer. */
  isHanging = false;
  /** Requests for the keys so far. */
  fetches = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(t: { after(step: () => void): unknown }): Promise<TokenIssuer> {
    const server = createServer((_request, response) => {
      issuer.fetches++;
      if (issuer.isHanging) return;
      if (issuer.failing !== undefined) response.writeHead(issuer.failing).end();
      else if (issuer.body !== undefined) response.end(issuer.body);
      else void issuer.#jwks().then((body) => response.end(body));
    });
    const issuer = new TokenIssuer(server);
    await issuer.rotate('one');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return issuer;
  }

  get name(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get jwksUrl(): string {
    return `${this.name}/keys`;
  }

  /** What a server is started with to trust it. */
  get settings(): Record<string, string> {
    return {
      VERDICT_JWT_ISSUER: this.name,
      VERDICT_JWT_AUDIENCE: audience,
      VERDICT_JWKS_URL: this.jwksUrl,
    };
  }

  /** Signs with a new key from now on; the former ones are published no more. */
  async rotate(kid: string): Promise<void> {
    this.#pairs.clear();
    this.#pairs.set(kid, await generateKeyPair('ES256'));
    this.#kid = kid;
  }

  /** A token that lives for a minute, unless its claims say otherwise; undefined ones are left out. */
  async sign(
    claims: Readonly<Record<string, unknown>> = {},
    pair = this.#pairs.get(this.#kid),
  ): Promise<string> {
    const all = {
      ...{ iss: this.name, aud: audience, sub: 'web', scope: 'verdict:classify' },
      exp: Math.floor(Date.now() / 1000) + 60,
      ...claims,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    if (pair === undefined) throw new Error('there is no key');
    return new SignJWT(given).setProtectedHeader({ alg: 'ES256', kid: this.#kid }).sign(pair.privateKey);
  }

  /** Its public key, as everybody can read it. */
  async publicKey(): Promise<string> {
    return JSON.stringify(await exportJWK(this.#pairs.get(this.#kid)?.publicKey ?? new Uint8Array()));
  }

  async #jwks(): Promise<string> {
    const keys = [...this.#pairs].map(async ([kid, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg: 'ES256',
      use: 'sig',
    }));
    return JSON.stringify({ keys: await Promise.all(keys) });
  }
}
