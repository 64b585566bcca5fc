import * as z from 'zod/mini';
import { cacheSharings } from '../auth/cache-sharing.js';
import { bits256Pattern, keyIdPattern } from '../auth/key-format.js';
import type { KeyFileReading } from '../auth/key-watch.js';
import { scopes } from '../auth/scopes.js';
import { parseYaml } from './parse-yaml.js';
import { modelName } from './text-rules.js';

const maxProblems = 10;

const idRule = 'must be 1 to 32 of a-z, 0-9 and "-", and start with a letter or a digit';
const bitsRule = 'must be 256 bits in base64url, as verdict keys new writes them';
const scopeRule = `must be one of ${scopes.join(', ')}`;
const timeRule = 'must be a date, or a time in UTC: 2027-01-31, 2027-01-31T12:00:00Z';
const cacheRule = `must be one of ${cacheSharings.join(', ')}`;
const weightRule = 'must be a whole number from 1 to 1000';
const limitRule = 'must be a whole number from 0 (no limit) to 1000000000';
const listRule = 'must be a list with at least one entry';

const limit = () =>
  z._default(
    z.number(limitRule).check(z.int(limitRule), z.minimum(0, limitRule), z.maximum(1e9, limitRule)),
    0,
  );
const limits = z.strictObject(
  { requestsPerMinute: limit(), tokensPerMinute: limit(), textsInFlight: limit() },
  'must be a mapping of limits',
);

const entry = z.strictObject(
  {
    id: z.string(idRule).check(z.regex(keyIdPattern, idRule)),
    hash: z.string(bitsRule).check(z.regex(bits256Pattern, bitsRule)),
    scopes: z.array(z.enum(scopes, scopeRule), listRule).check(z.minLength(1, listRule)),
    models: z.optional(
      z
        .array(
          z
            .string(`must be ${modelName.allowed}`)
            .check(z.refine(modelName.test, `must be ${modelName.allowed}`)),
          listRule,
        )
        .check(z.minLength(1, listRule)),
    ),
    limits: z.optional(limits),
    cache: z.optional(z.enum(cacheSharings, cacheRule)),
    weight: z._default(
      z.number(weightRule).check(z.int(weightRule), z.minimum(1, weightRule), z.maximum(1_000, weightRule)),
      1,
    ),
    expires: z.optional(z.union([z.iso.date(), z.iso.datetime()], timeRule)),
  },
  'must be a mapping',
);

const schema = z.strictObject(
  {
    secret: z.string(bitsRule).check(z.regex(bits256Pattern, bitsRule)),
    keys: z.array(entry, 'must be a list'),
  },
  'must be a mapping of secret and keys',
);

/**
 * The keys in the text of a key file.
 * @param name how sentences name the file. None quotes what it holds
 */
export async function parseKeyFile(content: string, name: string): Promise<KeyFileReading> {
  const yaml = await parseYaml(content, name);
  if ('problem' in yaml) return { problems: [yaml.problem] };
  const { data, error } = schema.safeParse(yaml.value);
  if (error !== undefined) {
    const found = error.issues.flatMap((issue) => sentences(issue, yaml.value));
    const more = found.length - maxProblems;
    const problems = found.slice(0, maxProblems).map((problem) => `${name}: ${problem}.`);
    return { problems: more > 0 ? [...problems, `${name}: ${more} more.`] : problems };
  }
  const ids = new Set<string>();
  for (const { id } of data.keys) {
    if (ids.has(id)) return { problems: [`${name}: the id ${id} is there twice.`] };
    ids.add(id);
  }
  const keys = data.keys.map(({ expires, models, limits, cache, ...rest }) => ({
    ...rest,
    models,
    limits,
    cache,
    expiresAt: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
  }));
  return { file: { secret: data.secret, keys } };
}

/** An issue in words: which key, which field, and what is allowed there. */
function sentences(issue: z.core.$ZodIssue, root: unknown): string[] {
  const place = placeOf(issue.path, root);
  if (issue.code !== 'unrecognized_keys') return [`${place}${issue.message}`];
  const fields = Object.keys(shapeAt(issue.path).shape);
  // A name that is not a plain word may be a key at the wrong place.
  return issue.keys.map((name) =>
    /^\w{1,32}$/.test(name)
      ? `${place}${name} is not a field; there are ${fields.join(', ')}`
      : `${place}there is a field of an unknown name`,
  );
}

function shapeAt(path: readonly PropertyKey[]) {
  if (path.length === 0) return schema;
  return path.at(-1) === 'limits' ? limits : entry;
}

/** `keys[1] (search).scopes[0]: `, empty for the root. */
function placeOf(path: readonly PropertyKey[], root: unknown): string {
  if (path.length === 0) return '';
  const words = path.map((part, at) => {
    if (typeof part === 'number') return `[${part}]${at === 1 ? named(root, part) : ''}`;
    return at === 0 ? String(part) : `.${String(part)}`;
  });
  return `${words.join('')}: `;
}

/** The id of the key at this place, where it has a valid one. */
function named(root: unknown, at: number): string {
  const id: unknown = (root as { keys?: { id?: unknown }[] }).keys?.[at]?.id;
  return typeof id === 'string' && keyIdPattern.test(id) ? ` (${id})` : '';
}
