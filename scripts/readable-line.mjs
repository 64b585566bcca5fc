/**
 * A line of the server's log as people read it: time, level, message, then the fields. What is no JSON stays as it is.
 *
 * @param {string} line
 * @returns {string}
 */
export function readableLine(line) {
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof entry !== 'object' || entry === null) return line;
  const { time, level, msg, ...fields } = entry;
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const words = Object.entries(fields).map(([name, value]) => `${name}=${readableValue(value)}`);
  return [clock, String(level ?? '').padEnd(5), msg ?? '', ...words].filter((word) => word !== '').join(' ');
}

function readableValue(value) {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
