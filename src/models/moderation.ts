import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from './json-file.js';
import { ModelLoadError } from './model-load-error.js';
import type { Moderation, ModerationCategory, ProblemType } from './types.js';

/** What a version's folder may say besides what the Hub's layout says. */
const fileName = 'verdict.yaml';

const mostBytes = 64 * 1024;
const mostCategories = 64;
const categoryPattern = /^[a-z][a-z0-9_-]{0,31}(\/[a-z][a-z0-9_-]{0,31})?$/;
const defaultThreshold = 0.5;

/**
 * How a version serves as a moderator: the section `moderation` of its `verdict.yaml`. Undefined: it does not.
 * @param labels of the version
 * @throws ModelLoadError that names the field, for a file that is there and is not what it should be
 */
export async function readModeration(
  directory: string,
  labels: readonly string[],
  problemType: ProblemType,
): Promise<Moderation | undefined> {
  const path = join(directory, fileName);
  const content = await contentOf(path);
  if (content === undefined) return undefined;
  const { moderation, ...others } = objectIn(path, '', await parsed(path, content));
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new ModelLoadError(path, 'has a field other than moderation');
  if (moderation === undefined) return undefined;
  if (problemType === 'regression')
    throw new ModelLoadError(
      path,
      'moderation: needs a model whose scores are probabilities, not regression',
    );
  const { categories: given, ...rest } = objectIn(path, 'moderation', moderation);
  if (Object.keys(rest).length > 0)
    throw new ModelLoadError(path, 'moderation: has a field other than categories');
  const categories = Object.entries(objectIn(path, 'moderation.categories', given));
  if (categories.length === 0 || categories.length > mostCategories)
    throw new ModelLoadError(path, `moderation.categories: must have 1 to ${mostCategories} categories`);
  return { categories: categories.map(([name, value]) => categoryIn(path, name, value, labels)) };
}

function categoryIn(
  path: string,
  name: string,
  value: unknown,
  known: readonly string[],
): ModerationCategory {
  if (!categoryPattern.test(name))
    throw new ModelLoadError(
      path,
      'moderation.categories: names must be like self-harm or self-harm/intent, of a-z, 0-9, _ and -',
    );
  const field = `moderation.categories.${name}`;
  const { labels, threshold = defaultThreshold, ...rest } = objectIn(path, field, value);
  if (Object.keys(rest).length > 0)
    throw new ModelLoadError(path, `${field}: has a field other than labels and threshold`);
  if (!Array.isArray(labels) || labels.length === 0)
    throw new ModelLoadError(path, `${field}.labels: must be a list of labels of the model`);
  for (const [index, label] of labels.entries()) {
    if (!known.includes(label))
      throw new ModelLoadError(path, `${field}.labels[${index}]: is no label of the model`);
  }
  if (typeof threshold !== 'number' || !(threshold > 0 && threshold <= 1))
    throw new ModelLoadError(path, `${field}.threshold: must be a number above 0 and at most 1`);
  return { name, labels: new Set(labels), threshold };
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > mostBytes)
      throw new ModelLoadError(path, `must have at most ${mostBytes} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof ModelLoadError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ModelLoadError(path, 'cannot be read', error);
  }
}

async function parsed(path: string, content: string): Promise<unknown> {
  // Loaded only here: most versions have no such file, and the parser takes tens of milliseconds to load.
  const { parse } = await import('yaml');
  try {
    return parse(content);
  } catch (error) {
    throw new ModelLoadError(path, 'is not valid YAML', error);
  }
}

function objectIn(path: string, field: string, value: unknown): JsonObject {
  if (isJsonObject(value)) return value;
  throw new ModelLoadError(path, field === '' ? 'must hold a mapping' : `${field}: must be a mapping`);
}
