/**
 * The cost of a run: baseMs + msPerToken x padded tokens + msPerTokenSquared x inputs x longest². The linear term is
 * the matrix products, the squared one is attention.
 */
export interface CostCurve {
  readonly baseMs: number;
  readonly msPerToken: number;
  readonly msPerTokenSquared: number;
}

/** One measured run. */
export interface CostSample {
  readonly items: number;
  /** Of each input. */
  readonly tokens: number;
  readonly runMs: number;
}

/** The cost that one more input of `tokens` tokens adds to a run that is padded to this length. */
export function marginalMs(curve: CostCurve, tokens: number): number {
  return tokens * (curve.msPerToken + curve.msPerTokenSquared * tokens);
}

/** The run time of `items` inputs padded to `longest` tokens. */
export function predictRunMs(curve: CostCurve, items: number, longest: number): number {
  return curve.baseMs + items * marginalMs(curve, longest);
}
