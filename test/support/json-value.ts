/** What JSON can say. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Follows keys and positions into a JSON value; null where nothing is there. */
export function at(value: JsonValue, ...path: readonly (string | number)[]): JsonValue {
  let here: JsonValue | undefined = value;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step];
    else if (here !== null && typeof here === 'object' && !Array.isArray(here)) here = here[String(step)];
    else return null;
  }
  return here ?? null;
}
