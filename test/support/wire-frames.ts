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
