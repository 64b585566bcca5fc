import { readFile } from 'node:fs/promises';
import {
  DEFAULT_ADDRESS,
  type TlsOptions,
  VerdictClient,
  VerdictClientError,
} from '../../clients/typescript/src/index.js';
import type { CliContext } from './context.js';
import { describeError } from './describe-error.js';
import { EXIT } from './exit-codes.js';
import { readTrouble } from './file-trouble.js';
import type { FlagValues } from './flags.js';
import { UsageError } from './usage-error.js';

/** Flags of every command that talks to a server. */
export const CONNECTION_FLAGS = {
  address: {
    kind: 'text',
    value: 'HOST:PORT',
    help: `where the server is (default: VERDICT_ADDRESS, else ${DEFAULT_ADDRESS})`,
  },
  'timeout-ms': {
    kind: 'number',
    min: 1,
    value: 'MS',
    help: 'time limit of one call (default 30000; a stream has none)',
  },
  metadata: {
    kind: 'list',
    value: 'KEY=VALUE',
    help: 'send this header with every call; may be repeated',
  },
  'api-key': {
    kind: 'text',
    value: 'KEY',
    help: 'send this API key (default: VERDICT_API_KEY, which other users cannot read)',
  },
  tls: { kind: 'switch', help: "connect with TLS and trust the system's certificate authorities" },
  'tls-ca': {
    kind: 'text',
    value: 'FILE',
    help: 'PEM file of the certificate authorities to trust instead; turns TLS on',
  },
  'tls-cert': { kind: 'text', value: 'FILE', help: "PEM file of the client's certificate; needs --tls-key" },
  'tls-key': { kind: 'text', value: 'FILE', help: "PEM file of the client's private key" },
  'tls-server-name': {
    kind: 'text',
    value: 'NAME',
    help: "the name to expect in the server's certificate",
  },
} as const;

export type ConnectionValues = FlagValues<typeof CONNECTION_FLAGS>;

/** Runs `action` with a client for those flags. A failed call becomes a message and an exit code. */
export async function withClient(
  values: ConnectionValues,
  context: CliContext,
  action: (client: VerdictClient) => Promise<number>,
): Promise<number> {
  const address = values.address ?? context.env('VERDICT_ADDRESS') ?? DEFAULT_ADDRESS;
  let client: VerdictClient | undefined;
  try {
    const metadata = headers(values.metadata);
    client = new VerdictClient({
      address,
      tls: await tlsOptions(values),
      metadata,
      apiKey: values['api-key'] ?? (holdsCredentials(metadata) ? undefined : context.env('VERDICT_API_KEY')),
      defaultTimeoutMs: values['timeout-ms'],
    });
    return await action(client);
  } catch (error) {
    if (!(error instanceof VerdictClientError)) throw error;
    if (error.reason === 'CLIENT_ARGUMENT') throw new UsageError(error.message, { cause: error });
    if (error.code === 'CANCELLED') return EXIT.interrupted;
    context.stderr.write(`verdict: ${describeError(error, address)}\n`);
    return EXIT.unanswered;
  } finally {
    client?.close();
  }
}

async function tlsOptions(values: ConnectionValues): Promise<TlsOptions | false> {
  const { 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key, 'tls-server-name': serverName } = values;
  if (!values.tls && (ca ?? cert ?? key ?? serverName) === undefined) return false;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('--tls-cert and --tls-key must be given together');
  }
  return { ca: await pem(ca), cert: await pem(cert), key: await pem(key), serverName };
}

async function pem(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw readTrouble(path, error);
  }
}

function headers(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError('--metadata takes KEY=VALUE');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** Whether headers say who calls: then a variable that happens to be set says nothing. */
function holdsCredentials(metadata: Readonly<Record<string, string>>): boolean {
  return Object.keys(metadata).some((key) => /^(authorization|x-api-key)$/i.test(key));
}
