import { quantile } from '../statistics.js';
import { generatedSources } from './generated-sentences.js';
import { SentenceJoiner } from './join-sentences.js';
import { drawLengths, lengthMixes, type MixName } from './length-mix.js';
import { seededRandom, shuffled } from './random.js';
import { readSources, type Sources } from './sources.js';

export type { MixName } from './length-mix.js';

export const mixNames = Object.keys(lengthMixes) as MixName[];

/** Every run and every server sees the same texts in the same order. */
const SEED = 20_261_122;

const ATTEMPTS_PER_LENGTH = 8;
const MAX_ATTEMPTS = 400;

/** What the texts of a pass are like, counted by the model's own tokenizer. */
export interface TokenStatistics {
  readonly texts: number;
  readonly meanTokens: number;
  readonly p50Tokens: number;
  readonly p95Tokens: number;
  readonly maxTokens: number;
}

/** Texts for the load. */
export class Inputs {
  readonly #sources: Sources;
  readonly #encode: (texts: readonly string[]) => Promise<readonly Int32Array[]>;
  #joiner: Promise<SentenceJoiner> | undefined;

  private constructor(
    sources: Sources,
    encode: (texts: readonly string[]) => Promise<readonly Int32Array[]>,
  ) {
    this.#sources = sources;
    this.#encode = encode;
  }

  /**
   * @param folder holds sst2/ and banking77/; where it does not, sentences are generated
   * @param encode the model's tokenizer, special tokens included
   */
  static open(folder: string, encode: (texts: readonly string[]) => Promise<readonly Int32Array[]>): Inputs {
    return new Inputs(readSources(folder) ?? generatedSources(seededRandom(SEED)), encode);
  }

  /** Whether the data sets are missing: such texts prove that the suite works, and nothing is measured with them. */
  get generated(): boolean {
    return this.#sources.generated;
  }

  /** What the texts are made of, for the report. */
  get description(): string {
    return this.#sources.description;
  }

  /**
   * Texts of a length mix, no two the same: whole sentences of both data sets, chosen and joined.
   *
   * @throws Error where there are not enough sentences for so many texts
   */
  async mix(name: MixName, count: number): Promise<string[]> {
    this.#joiner ??= this.#open();
    const joiner = await this.#joiner;
    const random = seededRandom(SEED + mixNames.indexOf(name) + 1);
    const lengths = shuffled(drawLengths(lengthMixes[name], count, random), random);
    const texts = new Set<string>();
    for (const tokens of lengths)
      addAnother(texts, (extra) => joiner.text(tokens + extra, random, extra > 0));
    return [...texts];
  }

  /** Whole SST-2 sentences, each once: as many as there are where `count` is larger. */
  sst2(count: number): string[] {
    return shuffled(this.#sources.sst2, seededRandom(SEED)).slice(0, count);
  }

  /** banking77's questions, likewise. */
  banking77(count: number): string[] {
    return shuffled(this.#sources.banking77, seededRandom(SEED)).slice(0, count);
  }

  /** Counts the tokens of texts. */
  async statistics(texts: readonly string[]): Promise<TokenStatistics> {
    const lengths = (await this.#encode(texts)).map(({ length }) => length);
    return {
      texts: texts.length,
      meanTokens: lengths.reduce((sum, length) => sum + length, 0) / lengths.length,
      p50Tokens: quantile(lengths, 0.5),
      p95Tokens: quantile(lengths, 0.95),
      maxTokens: Math.max(...lengths),
    };
  }

  async #open(): Promise<SentenceJoiner> {
    const sentences = [...this.#sources.sst2, ...this.#sources.banking77];
    const encodings = await this.#encode(sentences);
    const pieces = sentences.map((text, i) => ({ text, tokens: (encodings[i]?.length ?? 0) - 2 }));
    return new SentenceJoiner(pieces);
  }
}

/** Adds a text that is not there yet: of the wanted length if chance finds one soon, else longer and joined. */
function addAnother(texts: Set<string>, draw: (extraTokens: number) => string): void {
  const { size } = texts;
  for (let attempt = 0; texts.size === size; attempt++) {
    if (attempt > MAX_ATTEMPTS) throw new Error(`there are not enough sentences for more than ${size} texts`);
    texts.add(draw(Math.floor(attempt / ATTEMPTS_PER_LENGTH)));
  }
}
