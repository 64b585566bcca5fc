import { RESULT_FIELDS } from '../output/result-fields.js';
import { UsageError } from '../usage-error.js';
import { columnAt, normal } from './columns.js';

/** Which columns to copy to the output. */
export interface Keep {
  /** A column called id, if there is one. */
  readonly id: boolean;
  /** All columns that are not in the output already, as the text, the second text or the expected label. */
  readonly all: boolean;
  /** These columns too, whatever their role. */
  readonly names: readonly string[];
}

/** @param flags the values of `--keep`, each `all`, `none`, or names separated by commas */
export function readKeep(flags: readonly string[]): Keep {
  const names = flags.flatMap((value) => value.split(',')).map((name) => name.trim());
  if (names.includes(''))
    throw new UsageError('--keep takes all, none, or a comma-separated list of columns');
  if (names.includes('none') && names.length > 1)
    throw new UsageError('--keep none cannot be combined with other columns');
  const isNone = names[0] === 'none';
  return {
    id: !isNone,
    all: names.includes('all'),
    names: isNone ? [] : names.filter((name) => name !== 'all'),
  };
}

/** The kept columns of a table: their 0-based positions, and their names in the output. */
export function keptColumns(
  keep: Keep,
  first: readonly string[],
  { isHeader, used }: { readonly isHeader: boolean; readonly used: ReadonlySet<number> },
): readonly { readonly at: number; readonly name: string }[] {
  const header = isHeader ? first.map(normal) : [];
  const chosen = new Set(keep.names.map((name) => columnAt(name, 'keep', header, first.length)));
  const kept = [...first.keys()].filter(
    (at) => chosen.has(at) || (!used.has(at) && (keep.all || (keep.id && header[at] === 'id'))),
  );
  const names = outputNames(kept.map((at) => (isHeader && first[at]?.trim()) || `column${at + 1}`));
  return kept.map((at, n) => ({ at, name: names[n] ?? '' }));
}

/** The kept members of an object. */
export function keptMembers(
  keep: Keep,
  keys: readonly string[],
  used: ReadonlySet<string>,
): readonly string[] {
  const chosen = new Set(keep.names.map(normal));
  return keys.filter(
    (key) => chosen.has(normal(key)) || (!used.has(key) && (keep.all || (keep.id && normal(key) === 'id'))),
  );
}

/**
 * The names of kept columns in the output: their own, unless an output field has that name; then the column is called
 * `input_...`. If several columns share a name, the later ones get a number.
 */
export function outputNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = RESULT_FIELDS.has(name) ? `input_${name}` : name;
    let free = base;
    for (let n = 2; taken.has(free) || (free !== base && names.includes(free)); n++) free = `${base}_${n}`;
    taken.add(free);
    return free;
  });
}
