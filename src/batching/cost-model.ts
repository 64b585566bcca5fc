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
  readonly tokens: number;
  readonly runMs: number;
}
