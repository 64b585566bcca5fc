/** The numbers of one input for one tensor. */
export type TensorRow = Int32Array | Float32Array;

/** One input as a model reads it, before it is batched: named tensors and a cost. */
export interface Encoded {
  /** The unit of queues, budgets and cost curves: for texts, the number of tokens. At least 1. */
  readonly cost: number;
  /** Whether something of the input was cut off. */
  readonly truncated: boolean;
  /** By the names of the feeds. */
  readonly tensors: Readonly<Record<string, TensorRow>>;
}

/** How an input of a graph is filled from the tensors of a batch's rows. */
export type Feed = RaggedFeed | MaskFeed | LeadFeed | PositionsFeed | FixedFeed;

/**
 * Integers, rows of different lengths: [rows, width], where the width is the longest row of any ragged feed. Padding fills what a
 * row lacks, which may be all of it.
 */
export interface RaggedFeed {
  readonly kind: 'ragged';
  readonly name: string;
  readonly pad: number;
}

/** [rows, width]: 1 where a ragged feed has a number of the row, 0 where it has padding. */
export interface MaskFeed {
  readonly kind: 'mask';
  readonly name: string;
  /** The name of that feed. */
  readonly of: string;
}

/** [rows, width]: 1 at the start of every row, 0 behind it. */
export interface LeadFeed {
  readonly kind: 'lead';
  readonly name: string;
}

/** [rows, width]: consecutive numbers in every row. Rows are padded on the right. */
export interface PositionsFeed {
  readonly kind: 'positions';
  readonly name: string;
  /** The first one: 0, or above it for RoBERTa and its kin. */
  readonly first: number;
}

/** Floating-point numbers, the same shape in every row: [rows, ...shape]. */
export interface FixedFeed {
  readonly kind: 'fixed';
  readonly name: string;
  readonly shape: readonly number[];
}

/** The feeds that are sent to a session whose graph has these inputs. The session makes the others, or does not need them. */
export function sentFeeds(feeds: readonly Feed[], inputs: readonly string[]): (RaggedFeed | FixedFeed)[] {
  const masked = feeds.flatMap((feed) =>
    feed.kind === 'mask' && inputs.includes(feed.name) ? [feed.of] : [],
  );
  return feeds.filter(
    (feed): feed is RaggedFeed | FixedFeed =>
      (feed.kind === 'ragged' || feed.kind === 'fixed') &&
      (inputs.includes(feed.name) || masked.includes(feed.name)),
  );
}

/** Numbers of one row of a fixed feed. */
export function sizeOf({ shape }: FixedFeed): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}
