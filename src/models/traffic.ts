/** Shares are whole percent. */
const WHOLE = 100;

/** How the requests for a model are divided: for each hundredth of them the version that gets it. */
export type Traffic = readonly string[];

/** Shares in whole percent, by version. */
export type Shares = ReadonlyMap<string, number>;

/** A version and its share in whole percent. */
export interface Share {
  readonly version: string;
  readonly percent: number;
}

/** All requests for one version. */
export function undivided(version: string): Traffic {
  return new Array<string>(WHOLE).fill(version);
}

/** Whether shares are whole percent above 0, and 100 together. */
export function areShares(shares: Shares): boolean {
  const all = [...shares.values()];
  return (
    all.every((share) => Number.isInteger(share) && share > 0) &&
    all.reduce((sum, share) => sum + share, 0) === WHOLE
  );
}

/** The shares of a division, lowest version first. */
export function sharesOf(traffic: Traffic): Shares {
  const shares = new Map<string, number>();
  for (const version of [...traffic].sort(byNumber)) shares.set(version, (shares.get(version) ?? 0) + 1);
  return shares;
}

/**
 * Divides anew and moves as little as it can: each version that shrinks gives hundredths to versions that grow, and no other
 * hundredth changes hands.
 *
 * With two versions the lower one holds the front, whatever the steps were. With three, no division that depends on the shares
 * alone moves that little, so that it depends on the former one.
 * @throws Error if the shares are not whole percent, 100 together
 */
export function redivided(former: Traffic, shares: Shares): Traffic {
  if (!areShares(shares)) throw new Error('shares must be whole percent above 0, and 100 together');
  const traffic = [...former];
  const left = new Map<string, number>(sharesOf(former));
  const versions = [...new Set([...left.keys(), ...shares.keys()])].sort(byNumber);
  const missing = (version: string) => (shares.get(version) ?? 0) - (left.get(version) ?? 0);
  for (const growing of versions) {
    for (const shrinking of versions) {
      const moving = Math.min(missing(growing), -missing(shrinking));
      if (moving <= 0) continue;
      const held = [...traffic.keys()].filter((at) => traffic[at] === shrinking);
      // Where the two meet, if the lower version holds the front.
      const given =
        Number(shrinking) < Number(growing) ? held.slice(held.length - moving) : held.slice(0, moving);
      for (const at of given) traffic[at] = growing;
      left.set(growing, (left.get(growing) ?? 0) + moving);
      left.set(shrinking, (left.get(shrinking) ?? 0) - moving);
    }
  }
  return traffic;
}

/** A division as the runs of equal hundredths that it consists of, from the front. */
export function runsOf(traffic: Traffic): readonly Share[] {
  const runs: { version: string; percent: number }[] = [];
  for (const version of traffic) {
    const last = runs.at(-1);
    if (last?.version === version) last.percent++;
    else runs.push({ version, percent: 1 });
  }
  return runs;
}

/** The division of such runs; undefined where they are not 100 percent together. */
export function trafficOf(runs: readonly Share[]): Traffic | undefined {
  const total = runs.reduce((sum, { percent }) => sum + percent, 0);
  if (total !== WHOLE) return undefined;
  return runs.flatMap(({ version, percent }) => new Array<string>(percent).fill(version));
}

function byNumber(a: string, b: string): number {
  return Number(a) - Number(b);
}
