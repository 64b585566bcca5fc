import type { VerdictClient } from '../../clients/typescript/src/index.js';
import { whole } from './output/counted.js';
import { type InputRow, isMalformed, type Row } from './rows/row.js';

/** Most bytes of UTF-8 per UTF-16 unit; a surrogate pair takes four for two. */
const BYTES_PER_CHAR = 3;
/** Every server accepts messages of that size, whatever its settings. */
const ALWAYS_SENDABLE_BYTES = 4096;

/**
 * The same rows, but with rows too large for any message marked as malformed: a server that gets one refuses the whole
 * call, including the other rows. It refuses a smaller row that is too long alone. The limit is requested once the
 * first row needs it.
 */
export async function* sendableRows(
  rows: AsyncIterable<InputRow>,
  client: VerdictClient,
  signal: AbortSignal,
): AsyncGenerator<InputRow> {
  let limit: Promise<number | undefined> | undefined;
  for await (const row of rows) {
    if (isMalformed(row) || bytesOf(row) <= ALWAYS_SENDABLE_BYTES) {
      yield row;
      continue;
    }
    limit ??= maxTextChars(client, signal);
    yield checked(row, await limit);
  }
}

function checked(row: Row, maxChars: number | undefined): InputRow {
  // A message has room for the longest pair.
  if (maxChars === undefined || bytesOf(row) <= 2 * BYTES_PER_CHAR * maxChars) return row;
  const { kept, line = 0, endOffset, text, textPair = '' } = row;
  const chars = Math.max(text.length, textPair.length);
  const problem = `has a text of ${whole(chars)} characters; the server takes at most ${whole(maxChars)}`;
  return { kept, line, endOffset, problem };
}

function bytesOf({ text, textPair = '' }: Row): number {
  const most = BYTES_PER_CHAR * (text.length + textPair.length);
  return most <= ALWAYS_SENDABLE_BYTES ? most : Buffer.byteLength(text) + Buffer.byteLength(textPair);
}

/** The server's setting; undefined if it is not available: later calls will report why. */
async function maxTextChars(client: VerdictClient, signal: AbortSignal): Promise<number | undefined> {
  const models = await client.listModels({ signal }).catch(() => []);
  const limits = models.flatMap(({ versions }) => versions.map(({ limits }) => limits.maxTextChars));
  return limits.length === 0 ? undefined : Math.max(...limits);
}
