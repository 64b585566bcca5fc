import * as z from 'zod/mini';
import { cacheSharings } from '../../auth/cache-sharing.js';
import { choice, int, optionalText, text } from '../setting.js';
import { keyPrefix, masterName, path, redisUrl, secret } from '../text-rules.js';

/** The result cache. */
export const cache = z.object({
  maxBytes: int('cache-max-bytes', {
    default: 64 * 1024 * 1024,
    min: 0,
    max: 64 * 1024 ** 3,
    unit: 'bytes',
    doc: "Memory for results in the server's own tier. 0 switches that tier off.",
  }),
  ttlSeconds: int('cache-ttl-seconds', {
    default: 3600,
    min: 1,
    max: 31_536_000,
    unit: 's',
    doc: 'How long a result stays in Redis, plus or minus 10 %.',
  }),
  keyPrefix: text('cache-key-prefix', {
    default: 'verdict:',
    rule: keyPrefix,
    doc: 'Prefix of every key in Redis.',
  }),
  sharing: choice('cache-sharing', {
    default: 'shared',
    options: cacheSharings,
    doc: "Whose answers callers get from the cache. shared: everybody's. own: each its own, so that none learns what another asked. off: none. A key or a token may have another; own needs keys or tokens.",
  }),
  secret: optionalText('cache-secret', {
    defaultText: 'none: entries are not sealed',
    rule: secret,
    secret: true,
    doc: 'Secret that seals entries in Redis: readers of Redis cannot guess texts, and writers cannot forge answers. Use one random value for all replicas. Set it in a variable: other users of the machine can read flags.',
  }),
});

/** The Redis behind it. */
export const redis = z.object({
  url: optionalText('redis-url', {
    defaultText: 'none: no Redis',
    rule: redisUrl,
    alias: 'REDIS_URL',
    secret: true,
    doc: 'URL of the Redis that holds results for all replicas. If it has a password, set it in a variable: other users of the machine can read flags.',
  }),
  mode: choice('redis-mode', {
    default: 'single',
    options: ['single', 'sentinel', 'cluster'],
    doc: 'What the URL points to: one server, Sentinels, or nodes of a cluster.',
  }),
  sentinelName: optionalText('redis-sentinel-name', {
    defaultText: 'none',
    rule: masterName,
    doc: 'Name of the master that the Sentinels watch. Required in sentinel mode.',
  }),
  commandTimeoutMs: int('redis-command-timeout-ms', {
    default: 25,
    min: 5,
    max: 10_000,
    unit: 'ms',
    doc: 'How long to wait for a reply from Redis. A later reply counts as a miss.',
  }),
  connectTimeoutMs: int('redis-connect-timeout-ms', {
    default: 500,
    min: 10,
    max: 60_000,
    unit: 'ms',
    doc: 'How long to wait for a connection to Redis.',
  }),
  caFile: optionalText('redis-ca-file', {
    defaultText: "Node's own authorities",
    rule: path,
    doc: 'PEM file of the certificate authorities to trust for a rediss:// server.',
  }),
});
