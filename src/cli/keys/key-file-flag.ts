import type { CliContext } from '../context.js';
import { UsageError } from '../usage-error.js';

/** The variable that the server reads too. */
const VARIABLE = 'VERDICT_API_KEYS_FILE';

/** The flag of every command that works on a key file. */
export const KEY_FILE_FLAG = {
  file: { kind: 'text', value: 'FILE', help: `the key file (default: ${VARIABLE})` },
} as const;

/** @throws UsageError if no file is named */
export function keyFilePath(flag: string | undefined, context: CliContext): string {
  const path = flag ?? context.env(VARIABLE);
  if (path === undefined) throw new UsageError(`give --file, or set ${VARIABLE}`);
  return path;
}
