/** Standard errors between what was seen and the limit: a share on the limit passes by chance once in 700 looks. */
const DEVIATIONS = 3;

/**
 * Whether a share lies above a limit beyond doubt: its Wilson interval of three standard errors does. A share on the limit is looked
 * at after every input, so sooner or later it passes the limit itself by chance.
 *
 * @param count of `of` inputs; `of` is at least 1
 */
export function surelyAbove(count: number, of: number, limitPercent: number): boolean {
  const share = count / of;
  const squared = DEVIATIONS ** 2;
  const middle = share + squared / (2 * of);
  const spread = DEVIATIONS * Math.sqrt((share * (1 - share)) / of + squared / (4 * of ** 2));
  const lowest = (middle - spread) / (1 + squared / of);
  return count > 0 && lowest * 100 > limitPercent;
}
