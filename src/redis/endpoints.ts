/** The endpoints and options in the configured URLs. */
export interface Endpoints {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Database number. */
  readonly db: number;
  readonly tls: boolean;
}

/**
 * Reads one `redis://` or `rediss://` URL, or several separated by commas. User, password, database and TLS of the
 * first apply to all.
 *
 * @param defaultPort for URLs without a port
 * @throws Error that holds no part of the URLs, because they contain passwords
 */
export function parseEndpoints(urls: string, defaultPort: number): Endpoints {
  const parsed = urls.split(/,(?=rediss?:)/).map(parseUrl);
  const [first] = parsed;
  if (first === undefined) throw invalidUrl();
  const db = first.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(db)) throw invalidUrl();
  return {
    nodes: parsed.map((url) => ({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1',
      port: url.port === '' ? defaultPort : Number(url.port),
    })),
    username: decode(first.username),
    password: decode(first.password),
    db: Number(db),
    tls: first.protocol === 'rediss:',
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol)) throw invalidUrl();
  return url;
}

function decode(part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidUrl();
  }
}

function invalidUrl(): Error {
  return new Error('the Redis URL must have the form redis[s]://[user:password@]host[:port][/database]');
}
