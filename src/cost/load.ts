/** What some items come to: enough to tell what they will cost, whatever the cost curve is by then. */
export interface LoadFacts {
  readonly items: number;
  readonly tokens: number;
  /** Sum of the squared lengths: what attention costs grows with it. */
  readonly squares: number;
}

/** A load that items join and leave. */
export class Load implements LoadFacts {
  items = 0;
  tokens = 0;
  squares = 0;

  add(tokens: number): void {
    this.items++;
    this.tokens += tokens;
    this.squares += tokens * tokens;
  }

  remove(tokens: number): void {
    this.items--;
    this.tokens -= tokens;
    this.squares -= tokens * tokens;
  }
}
