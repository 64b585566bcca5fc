/** A gRPC frame: flag, length, message. `length` may promise more than comes. */
export function frame(message: Uint8Array, { compressed = false, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed ? 1 : 0;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** A frame of HTTP/2 itself. */
export function http2Frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What an HTTP/2 client says first. */
export const magic = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Settings that leave all as it is: what it says next. */
export const settings = http2Frame(4, 0, 0);

/** A header field in HPACK: name and value as they are, in no table. Each character is a byte; at most 126 of them. */
export function headerField(name: string, value: string): Buffer {
  const parts = [name, value].flatMap((text) => [Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
  return Buffer.concat([Buffer.from([0]), ...parts]);
}

/** HEADERS of a gRPC call. 0x83 and 0x86 are `:method: POST` and `:scheme: http` in HPACK's static table. */
export function callHeaders(stream: number, path: string): Buffer {
  const fields = { ':path': path, ':authority': 'x', 'content-type': 'application/grpc', te: 'trailers' };
  const literals = Object.entries(fields).map(([name, value]) => headerField(name, value));
  return http2Frame(1, 4, stream, Buffer.concat([Buffer.from([0x83, 0x86]), ...literals]));
}
