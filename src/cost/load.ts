/** The totals of some inputs: enough to predict their cost with any later cost curve. */
export interface LoadFacts {
  readonly items: number;
  readonly tokens: number;
  /** Sum of the squared lengths: the cost of attention grows with it. */
  readonly squares: number;
}

/** A load that inputs join and leave. */
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
