/** Where a server took an answer from, as far as it says so; `joined`: from a computation already under way. */
export type AnswerSource = 'computed' | 'joined' | 'cache' | 'unknown';

/** One server as the load generators see it, whatever it speaks: a text goes in, an answer comes out. */
export interface TextClient {
  /** Classifies one text. @throws Error when the server gives no classification */
  classify(text: string): Promise<AnswerSource>;
  close(): void;
}

/** How a server is spoken to. */
export interface ClientOptions {
  /** `host:port`. */
  readonly address: string;
  /** The model's name there; servers of one model do not ask. */
  readonly model: string;
  /** Asks the server to compute, cached or not; only Verdict can be asked. */
  readonly bypassCache: boolean;
  /** Most texts that will be under way at once. */
  readonly maxInFlight: number;
}
