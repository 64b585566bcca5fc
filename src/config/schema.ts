import * as z from 'zod/mini';
import { cache, redis } from './sections/caching.js';
import { batching, models, runtime, tokenizer } from './sections/inference.js';
import {
  admin,
  auth,
  http,
  limits,
  log,
  rateLimits,
  server,
  shutdown,
  tls,
  tracing,
} from './sections/serving.js';

/**
 * Every setting, once. A section is a mapping in the YAML file, and a leaf's key is its key there; the leaf's {@link
 * SettingMeta} holds the rest.
 */
export const configSchema = z.object({
  server,
  http,
  tls,
  auth,
  admin,
  models,
  runtime,
  tokenizer,
  limits,
  rateLimits,
  batching,
  cache,
  redis,
  shutdown,
  log,
  tracing,
});

/** The schema's values, before derived values are added. */
export type SettingValues = z.infer<typeof configSchema>;
