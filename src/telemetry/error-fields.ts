import type { LogFields } from './types.js';

const maxDepth = 4;

/**
 * An error as log fields: type, message, stack, code and causes. Other properties are left out: a library may attach a
 * caller's text to its errors.
 */
export function errorFields(error: unknown, depth = 0): LogFields {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const more = error.cause !== undefined && depth < maxDepth;
  const cause = more ? { cause: errorFields(error.cause, depth + 1) } : {};
  return { type: error.name, message: error.message, stack: error.stack, ...code, ...cause };
}
