/** ` Did you mean --port?` if one of the names is close to the unknown one, else nothing. */
export function didYouMean(unknown: string, names: Iterable<string>): string {
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(unknown.length / 4)) + 1;
  for (const name of names) {
    const distance = editDistance(unknown.toLowerCase(), name.toLowerCase());
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`;
}

/** Levenshtein's distance: insertions, deletions and replacements from one text to the other, row by row. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
