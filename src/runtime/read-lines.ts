import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';

const MAX_LINE_CHARS = 2000;

/** Hands every line of a stream to `onLine`: without colours, cut at 2000 characters, blank ones left out. */
export function readLines(stream: Readable | null | undefined, onLine: (line: string) => void): void {
  let rest = '';
  const tell = (line: string) => {
    const plain = stripVTControlCharacters(line.slice(0, MAX_LINE_CHARS)).trim();
    if (plain !== '') onLine(plain);
  };
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
    for (const line of lines) tell(line);
  });
  stream?.on('end', () => tell(rest));
}
