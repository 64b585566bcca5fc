/** One answer of the admin server. */
export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** What it says besides. Without a `cache-control` nobody may keep it. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Pages by their paths. `accept`: that header of the request. */
export type Pages = Readonly<Record<string, (accept: string) => Page | Promise<Page>>>;
