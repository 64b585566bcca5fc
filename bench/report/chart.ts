/** A number of bars per category, one colour per series. */
export interface BarChart {
  readonly kind: 'bars';
  /** Ends the file name: `<scenario>-<name>.svg`; empty: `<scenario>.svg`. */
  readonly name: string;
  readonly title: string;
  readonly subtitle: string;
  /** Name of the value axis, with its unit. */
  readonly valueAxis: string;
  readonly categories: readonly string[];
  /** One value per category; NaN leaves a gap. */
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** A line across, such as a bar to reach. */
  readonly mark?: { readonly label: string; readonly value: number };
}

/** Lines over a numeric axis. */
export interface LineChart {
  readonly kind: 'lines';
  readonly name: string;
  readonly title: string;
  readonly subtitle: string;
  readonly valueAxis: string;
  readonly xAxis: string;
  /** Logarithmic axes; linear where left out. Logarithmic values have to be above 0. */
  readonly log?: { readonly x?: boolean; readonly value?: boolean };
  readonly series: readonly {
    readonly name: string;
    /** `[x, value]`, in the order of x. */
    readonly points: readonly (readonly [number, number])[];
  }[];
  readonly mark?: { readonly label: string; readonly value: number };
}

export type Chart = BarChart | LineChart;
