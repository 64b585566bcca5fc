/**
 * What a key may be used for:
 * - `classify`: ClassifierService and ModelService.
 * - `interactive`: to ask for the interactive class by name, with `verdict-class`.
 * - `cache-outcomes`: to read in answers where they came from, and what they took.
 * - `reflection`: to read the contract by reflection.
 * - `metrics`: to scrape `/metrics`, where the admin port is not on loopback.
 * - `admin`: methods that administer the server: CacheService.
 */
export const scopes = [
  'classify',
  'interactive',
  'cache-outcomes',
  'reflection',
  'metrics',
  'admin',
] as const;

export type Scope = (typeof scopes)[number];
