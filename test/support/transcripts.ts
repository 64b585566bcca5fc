/** One `console` block of a page: a command and what it printed. */
export interface Transcript {
  /** What the HTML comment above the block says, if there is one. */
  readonly condition: string;
  readonly command: string;
  readonly output: string;
  /** Where the output stands in the page. */
  readonly start: number;
  readonly end: number;
}

const block = /(?:<!-- (.*?) -->\n)?```console\n\$ (.*)\n((?:(?!```).*\n)*)```/g;

/** The transcripts of a Markdown page, in their order. */
export function transcripts(page: string): Transcript[] {
  return [...page.matchAll(block)].map(
    ({ 0: whole, 1: condition = '', 2: command = '', 3: output = '', index }) => {
      const end = index + whole.length - '```'.length;
      return { condition, command, output, start: end - output.length, end };
    },
  );
}

/** The output with everything replaced that differs from run to run, and from machine to machine. */
export function stable(output: string): string {
  return output
    .replaceAll('\r', '')
    .replace(/"(tokenizeMs|queueMs|inferenceMs|totalMs)": ?[-0-9.e]+/g, '"$1":0')
    .replace(/"score": ?(\d\.\d)\d*/g, '"score":$1')
    .replace(/"retryDelay":"[0-9.]+s"/g, '"retryDelay":"0s"')
    .replace(/^(x-request-id|date|x-envoy-upstream-service-time|retry-after|content-length): .*$/gm, '$1: 0');
}
