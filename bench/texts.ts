import { readFileSync } from 'node:fs';

/**
 * The sentences of an SST-2 file (`sentence<TAB>label`, a header line), shuffled with a fixed seed so that every run
 * and every server sees the same order.
 */
export function readSst2(path: string, count: number): string[] {
  const sentences = readFileSync(path, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[0]?.trim() ?? '')
    .filter((sentence) => sentence !== '');
  shuffle(sentences, 20_261_122);
  return sentences.slice(0, count);
}

/** Fisher-Yates with the mulberry32 generator. */
function shuffle(items: string[], seed: number): void {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j] ?? '', items[i] ?? ''];
  }
}
