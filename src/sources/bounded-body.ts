import { Readable, Transform } from 'node:stream';
import { RegistryError } from './source-error.js';

/** A response's body that breaks off beyond so many bytes: whoever reads it into memory reads no more. */
export function boundedBody(body: unknown, mostBytes: number): unknown {
  if (!(body instanceof Readable)) return body;
  let bytes = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      if (bytes <= mostBytes) done(null, chunk);
      else done(new RegistryError(`an answer is longer than ${mostBytes} bytes`));
    },
  });
  body.once('error', (error) => bounded.destroy(error));
  bounded.once('error', () => body.destroy());
  return body.pipe(bounded);
}
