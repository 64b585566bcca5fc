/** A number, true, false or null. */
const SCALAR = /[^\t\n\r ,:\]}]+/y;
const SPACE = /[\t\n\r ]*/y;

/**
 * The values of a JSON object as they are written: JSON.parse would round 12345678901234567890 and turn 1.0 into 1.
 *
 * @param json an object that JSON.parse has accepted
 */
export function memberSources(json: string): Map<string, string> {
  const sources = new Map<string, string>();
  let at = after(SPACE, json, json.indexOf('{') + 1);
  while (json[at] === '"') {
    const nameEnd = stringEnd(json, at);
    const name: string = JSON.parse(json.slice(at, nameEnd));
    // Past the colon.
    const start = after(SPACE, json, after(SPACE, json, nameEnd) + 1);
    const end = valueEnd(json, start);
    sources.set(name, json.slice(start, end));
    // Past the comma, or past the brace after the last member.
    at = after(SPACE, json, after(SPACE, json, end) + 1);
  }
  return sources;
}

function valueEnd(json: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = json[at];
    if (character === '"') at = stringEnd(json, at);
    else if (character === '{' || character === '[') {
      depth++;
      at++;
    } else if (character === '}' || character === ']') {
      depth--;
      at++;
    } else {
      // Between the values of an object or an array: a comma, a colon, space.
      at = Math.max(at + 1, after(SCALAR, json, at));
    }
  } while (depth > 0 && at < json.length);
  return at;
}

/** The position after the quote that closes the string at `start`: the first one that is not escaped. */
function stringEnd(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return json.length;
}

function after(pattern: RegExp, json: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(json)?.[0].length ?? 0);
}
