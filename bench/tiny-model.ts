import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from './inputs/random.js';
import type { ProcessSet } from './process-set.js';

const NAME = 'topics';
const fixture = fileURLToPath(new URL(`../../test/fixtures/models/${NAME}`, import.meta.url));

/** Words that its small vocabulary knows whole. */
const WORDS =
  'match goal team coach league player tennis football race vote election senate law minister party policy tax software chip phone computer network data server bread soup cheese recipe chef kitchen dinner the a of in on and with for today this that new old great is was we you it'.split(
    ' ',
  );

/** A model so small that what is around it is what costs: the tests' own fixture of 2 layers, 32 wide. */
export interface TinyModel {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Different texts of 8 to 15 words, the same in every run. */
  texts(count: number): string[];
}

/** A models folder that holds nothing else; it goes away with the processes. */
export function provideTinyModel(processes: ProcessSet): TinyModel {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-bench-'));
  symlinkSync(fixture, join(folder, NAME));
  processes.add({ stop: async () => rmSync(folder, { recursive: true, force: true }) });
  return {
    name: NAME,
    settings: { VERDICT_MODELS_DIR: folder, VERDICT_DEFAULT_MODEL: NAME, VERDICT_DEVICE: 'cpu' },
    texts: (count) => {
      const random = seededRandom(7);
      const word = () => WORDS[Math.floor(random() * WORDS.length)] ?? '';
      return Array.from({ length: count }, (_, i) => Array.from({ length: 8 + (i % 8) }, word).join(' '));
    },
  };
}
