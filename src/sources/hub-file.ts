import { isSafePath } from './safe-path.js';
import { HubError } from './source-error.js';

/** A file of a repository, as the Hub lists it. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  readonly digest: HubDigest;
}

/** The Hub knows large files by the SHA-256 of their content, and small ones by Git's name for them. */
export interface HubDigest {
  readonly kind: 'sha256' | 'git';
  /** In hexadecimal digits. */
  readonly value: string;
}

const DIGITS = { sha256: /^[0-9a-f]{64}$/, git: /^[0-9a-f]{40}$/ } as const;

/** @throws HubError for an entry of which one part cannot be right */
export function listed(
  entry: {
    readonly path: string;
    readonly size: number;
    readonly oid?: string;
    readonly lfs?: { readonly oid: string; readonly size: number };
  },
  repo: string,
): HubFile {
  const { path, lfs } = entry;
  const digest = lfs === undefined ? { kind: 'git', value: entry.oid } : { kind: 'sha256', value: lfs.oid };
  const bytes = lfs?.size ?? entry.size;
  const isGood =
    isSafePath(path) &&
    Number.isSafeInteger(bytes) &&
    bytes >= 0 &&
    DIGITS[digest.kind as HubDigest['kind']].test(String(digest.value));
  if (!isGood) throw new HubError(`${repo}: the Hub lists a file without a valid path, size or digest`);
  return { path, bytes, digest: digest as HubDigest };
}
