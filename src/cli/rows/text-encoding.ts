import { TextDecoder } from 'node:util';
import { UsageError } from '../usage-error.js';

/** An encoding, and how its bytes form units. */
export interface TextEncoding {
  /** Decodes whole lines. Throws a TypeError for invalid bytes. */
  readonly strict: TextDecoder;
  /** The same, but replaces invalid bytes with U+FFFD. */
  readonly lenient: TextDecoder;
  /** A line feed, as bytes. */
  readonly newline: Buffer;
  /** The byte order mark at the beginning of the input. */
  readonly bomBytes: number;
}

export const DEFAULT_ENCODING = 'utf-8';

const BOMS: readonly (readonly [encoding: string, bytes: Buffer])[] = [
  ['utf-8', Buffer.of(0xef, 0xbb, 0xbf)],
  ['utf-16le', Buffer.of(0xff, 0xfe)],
  ['utf-16be', Buffer.of(0xfe, 0xff)],
];

/** @throws UsageError for a name that TextDecoder does not know (https://encoding.spec.whatwg.org/#names-and-labels) */
export function checkEncoding(name: string): void {
  try {
    new TextDecoder(name, { fatal: true });
  } catch {
    throw new UsageError(
      `--encoding: unknown encoding "${name}"; some that work are utf-8, latin1, utf-16le, shift_jis and gb18030`,
    );
  }
}

/** Whether the bytes may be an incomplete byte order mark. */
export function mayBeMark(head: Buffer): boolean {
  return BOMS.some(([, bytes]) => head.length < bytes.length && head.equals(bytes.subarray(0, head.length)));
}

/**
 * The encoding of an input that begins with `head`. A byte order mark wins over the name, as it does for browsers
 * (https://encoding.spec.whatwg.org/#decode).
 */
export function encodingOf(head: Buffer, name: string): TextEncoding {
  const bom = BOMS.find(([, bytes]) => bytes.equals(head.subarray(0, bytes.length)));
  // A later mark is a character of its text.
  const decoder = (fatal: boolean) => new TextDecoder(bom?.[0] ?? name, { fatal, ignoreBOM: true });
  const strict = decoder(true);
  return {
    strict,
    lenient: decoder(false),
    newline: newlineIn(strict.encoding),
    bomBytes: bom?.[1].length ?? 0,
  };
}

/** All other encodings that TextDecoder knows have the line feed of ASCII, and that byte nowhere else. */
function newlineIn(encoding: string): Buffer {
  if (encoding === 'utf-16le') return Buffer.of(0x0a, 0);
  return encoding === 'utf-16be' ? Buffer.of(0, 0x0a) : Buffer.of(0x0a);
}
