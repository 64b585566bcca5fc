/** The value of a YAML text, or the sentence about what is wrong. No sentence quotes the text, which may hold a secret. */
export async function parseYaml(
  content: string,
  name: string,
): Promise<{ readonly value: unknown } | { readonly problem: string }> {
  // Loaded only here: most starts have no file, and the parser takes tens of milliseconds to load.
  const { parseDocument } = await import('yaml');
  try {
    const document = parseDocument(content);
    const [error] = document.errors;
    if (error === undefined) return { value: document.toJS() };
    // The parser's own message quotes the line, which may hold a password.
    const line = error.linePos?.[0].line ?? 1;
    return { problem: `${name} is not valid YAML: ${error.code} at line ${line}.` };
  } catch (error) {
    return { problem: `${name} is not usable YAML: ${misuse(error)}.` };
  }
}

/** Errors that the parser throws instead of listing them in the document: references, and depth. */
function misuse(error: unknown): string {
  return error instanceof ReferenceError
    ? 'an alias (*name) has no anchor (&name) before it, or aliases multiply to far more than the file holds'
    : 'it is nested too deeply, or in itself';
}
