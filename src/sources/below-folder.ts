import { holdsModel } from './layout.js';
import { SourceError } from './source-error.js';
import type { ModelSource, SourceFile } from './types.js';

/**
 * The part of a source that lies in one of its folders, as a source of its own: the folder that is given, else the only one that holds a
 * model where the root holds none.
 *
 * @throws SourceError where the folder that is given is not there, or several hold models
 */
export function belowFolder(source: ModelSource, given: string | undefined): ModelSource {
  const folder = given?.replace(/^\.?\/+|\/+$/g, '') ?? onlyModelIn(source);
  if (folder === undefined || folder === '') return source;
  const prefix = `${folder}/`;
  const byPath = new Map<string, SourceFile>();
  for (const file of source.files) {
    if (file.path.startsWith(prefix)) byPath.set(file.path.slice(prefix.length), file);
  }
  if (byPath.size === 0) throw new SourceError(`${source.name} holds no folder ${folder}`);
  return {
    name: source.name,
    shortName: source.shortName,
    origin: source.origin,
    files: [...byPath].map(([path, { bytes }]) => ({ path, bytes })),
    copy: (file, target, options) => source.copy(byPath.get(file.path) ?? file, target, options),
  };
}

function onlyModelIn(source: ModelSource): string | undefined {
  if (holdsModel(source.files, '')) return undefined;
  const folders = new Set(
    source.files.flatMap(({ path }) =>
      path.endsWith('/config.json') ? [path.slice(0, -'/config.json'.length)] : [],
    ),
  );
  // Versions of a model are for the person to choose from.
  const found = [...folders].filter(
    (folder) => !/^[0-9]+$/.test(folder) && holdsModel(source.files, `${folder}/`),
  );
  if (found.length > 1) {
    throw new SourceError(
      `${source.name} holds models in ${found.slice(0, 10).join(', ')}: choose one with --path`,
    );
  }
  return found[0];
}
