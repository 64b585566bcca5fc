import { connect, type Socket } from 'node:net';
import type { Random } from '../../src/simulation/random.js';
import { type HttpSpecimen, httpBodyOf, httpCorpus } from './http-corpus.js';
import { piecesOf } from './http-requests.js';
import { mutate } from './mutate.js';

/** A connection that the server keeps open has no more to say after this. */
const IDLE_MS = 20;
/** Twice what the headers of a request may have together. */
const MOST_HEADER_BYTES = 24 * 1024;

/** How a connection ends that the server does not end. */
type Ending = 'waits' | 'half-closes' | 'leaves' | 'resets';
const ENDINGS: readonly Ending[] = ['waits', 'half-closes', 'leaves', 'resets'];

/**
 * Opens a connection with up to four requests behind one another, of which some bytes are mutated, missing, repeated or elsewhere: in
 * the first line, the headers, the sizes of chunks or the body. What it sends goes in pieces, and it may leave before all is sent.
 * Resolves when it is over.
 * @throws Error if the server answers with what is no HTTP
 */
export async function sendHttpConnection(url: string, random: Random): Promise<void> {
  const pick = <T>(of: readonly T[]): T => of[Math.min(of.length - 1, Math.floor(random() * of.length))] as T;
  const parts = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(httpCorpus)).flatMap(
    (specimen) => partsOf(specimen, random),
  );
  for (let changes = Math.floor(random() * 3); changes > 0; changes--) change(parts, random);
  const pieces = random() < 0.5 ? [Buffer.concat(parts)] : parts;
  const sent = random() < 0.3 ? pieces.slice(0, Math.ceil(random() * pieces.length)) : pieces;
  const received = await speak(url, sent, pick(ENDINGS));
  if (received !== '' && !received.startsWith('HTTP/1.1 '))
    throw new Error(`no answer of HTTP: ${JSON.stringify(received.slice(0, 100))}`);
}

/** The head, and the body as a whole or in chunks. */
function partsOf(specimen: HttpSpecimen, random: Random): Buffer[] {
  const body = httpBodyOf(specimen);
  const fields = Object.entries({ host: 'verdict', ...specimen.headers }).map((field) => field.join(': '));
  if (random() < 0.1) fields.push(`x-long: ${'x'.repeat(Math.floor(random() * MOST_HEADER_BYTES))}`);
  const head = (...more: readonly string[]) =>
    Buffer.from(
      [`${specimen.method} ${specimen.path} HTTP/1.1`, ...fields, ...more, '\r\n'].join('\r\n'),
      'latin1',
    );
  if (specimen.values.length === 0) return [head()];
  if (random() < 0.5) return [head(`content-length: ${body.length}`), body];
  const chunks = piecesOf(body, random).map((piece) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
  );
  return [head('transfer-encoding: chunked'), ...chunks, Buffer.from('0\r\n\r\n')];
}

function change(parts: Buffer[], random: Random): void {
  const at = Math.floor(random() * parts.length) % Math.max(1, parts.length);
  const part = parts[at] ?? Buffer.alloc(0);
  const choice = random();
  if (choice < 0.6) parts[at] = mutate(part, parts[0] ?? part, random);
  else if (choice < 0.7) parts.splice(at, 1);
  else if (choice < 0.85) parts.splice(at, 0, ...Array.from({ length: 20 }, () => part));
  else parts.push(...parts.splice(at, 1));
}

/** Resolves with what has come once the connection is over. */
function speak(url: string, pieces: readonly Buffer[], ending: Ending): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    let received = '';
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.once('close', () => resolve(received));
    socket.once('connect', () => write(socket, pieces, ending));
  });
}

/** One piece after the other, each in a packet of its own. */
function write(socket: Socket, [piece, ...rest]: readonly Buffer[], ending: Ending): void {
  if (socket.destroyed) return;
  if (piece !== undefined) socket.write(piece, () => setImmediate(() => write(socket, rest, ending)));
  else if (ending === 'half-closes') socket.end();
  else if (ending === 'leaves') socket.destroy();
  else if (ending === 'resets') socket.resetAndDestroy();
}
