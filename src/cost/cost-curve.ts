/**
 * What a run costs: baseMs + msPerToken x padded tokens + msPerTokenSquared x items x longest². The linear term is
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
  /** Of each item. */
  readonly tokens: number;
  readonly runMs: number;
}

/** What one more item of `tokens` tokens adds to a run that is padded to this length. */
export function marginalMs(curve: CostCurve, tokens: number): number {
  return tokens * (curve.msPerToken + curve.msPerTokenSquared * tokens);
}

/** The run time of `items` items padded to `longest` tokens. */
export function predictRunMs(curve: CostCurve, items: number, longest: number): number {
  return curve.baseMs + items * marginalMs(curve, longest);
}
