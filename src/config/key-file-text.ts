import type { Document } from 'yaml';
import type { CacheSharing } from '../auth/cache-sharing.js';
import { random256 } from '../auth/key-format.js';
import type { Scope } from '../auth/scopes.js';
import type { RateLimits } from '../ratelimit/types.js';

/** A new entry, as the file spells it. */
export interface NewEntry {
  readonly id: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly models?: readonly string[] | undefined;
  readonly limits?: Partial<RateLimits> | undefined;
  readonly cache?: CacheSharing | undefined;
  readonly weight?: number | undefined;
  readonly expires?: string | undefined;
}

/** The text of a key file without keys, and with a secret of its own. */
export function emptyKeyFile(): string {
  return `# The API keys of a Verdict server: docs/security.md. Holds no key, but hashes: npx verdict keys new prints a key once.
secret: ${random256()}
keys: []
`;
}

/** The text of a valid key file with one entry more. What people wrote into it stays: comments, order, blank lines. */
export async function withEntry(
  content: string,
  { models, limits, cache, weight, expires, ...entry }: NewEntry,
): Promise<string> {
  const { isSeq, isMap, parseDocument } = await import('yaml');
  const document: Document = parseDocument(content);
  const fields = {
    ...entry,
    ...(models === undefined ? {} : { models }),
    ...(limits === undefined ? {} : { limits }),
    ...(cache === undefined ? {} : { cache }),
    ...(weight === undefined ? {} : { weight }),
    ...(expires === undefined ? {} : { expires }),
  };
  const node = document.createNode(fields);
  for (const name of ['scopes', 'models']) {
    const list = isMap(node) ? node.get(name, true) : undefined;
    if (isSeq(list)) list.flow = true;
  }
  const keys = document.get('keys', true);
  if (isSeq(keys)) keys.flow = false;
  document.addIn(['keys'], node);
  return document.toString({ lineWidth: 0 });
}

/** The same without the entry at this place. */
export async function withoutEntry(content: string, at: number): Promise<string> {
  const { parseDocument } = await import('yaml');
  const document: Document = parseDocument(content);
  document.deleteIn(['keys', at]);
  return document.toString({ lineWidth: 0 });
}
