/**
 * Whose answers a caller gets from the result cache, and who gets the caller's:
 * - `shared`: everybody's.
 * - `own`: its own, and nobody else gets them.
 * - `off`: none. It leaves none either, and joins no computation.
 */
export const cacheSharings = ['shared', 'own', 'off'] as const;

export type CacheSharing = (typeof cacheSharings)[number];
