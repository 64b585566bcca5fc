const MS_PER_SECOND = 1000;
/** `2026-11-22T17:00:59.` */
const UP_TO_SECOND = 20;

/**
 * Makes pino's time field, in ISO 8601. It formats a date once a second, which costs a sixth of `toISOString` for every
 * line: a busy second has thousands of lines.
 *
 * @param now milliseconds since 1970
 */
export function isoTime(now: () => number = Date.now): () => string {
  let second = Number.NaN;
  let prefix = '';
  return () => {
    const time = now();
    const ms = time % MS_PER_SECOND;
    if (time - ms !== second) {
      second = time - ms;
      prefix = `,"time":"${new Date(second).toISOString().slice(0, UP_TO_SECOND)}`;
    }
    const padding = ms < 10 ? '00' : ms < 100 ? '0' : '';
    return `${prefix}${padding}${ms}Z"`;
  };
}
