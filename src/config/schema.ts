import * as z from 'zod/mini';
import { cache, redis } from './sections/caching.js';
import { batching, models, runtime, tokenizer } from './sections/inference.js';
import { admin, limits, log, server, shutdown } from './sections/serving.js';

/**
 * Every knob, once. A section is a mapping in the YAML file, a leaf's key its key there; the leaf's
 * {@link KnobMeta} holds the rest.
 */
export const configSchema = z.object({
  server,
  admin,
  models,
  runtime,
  tokenizer,
  limits,
  batching,
  cache,
  redis,
  shutdown,
  log,
});

/** The schema's values, before what follows from them is added. */
export type Settings = z.infer<typeof configSchema>;
