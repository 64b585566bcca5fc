import { BinaryReader } from '@bufbuild/protobuf/wire';

/** A generated message type: what ts-proto emits for each message, as far as the edge uses it. */
export interface MessageType<T> {
  decode(input: BinaryReader | Uint8Array): T;
  encode(message: T): { finish(): Uint8Array };
}

/** Stands in for a message whose bytes are not valid protobuf, or whose strings are not valid UTF-8. */
export const malformed: unique symbol = Symbol('malformed message');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** @throws TypeError for bytes that are not UTF-8 */
export const decodeUtf8 = (bytes: Uint8Array): string => utf8.decode(bytes);

/**
 * Decodes strictly. By default ts-proto puts U+FFFD for bytes that are no UTF-8, and the caller would get a
 * confident answer about a text that nobody sent; the protobuf specification asks for a refusal. A failure is
 * returned, not thrown: grpc-js would answer a throw with INTERNAL, as if the server were at fault.
 */
export function deserializer<T>(type: MessageType<T>): (bytes: Buffer) => T | typeof malformed {
  return (bytes) => {
    try {
      return type.decode(new BinaryReader(bytes, decodeUtf8));
    } catch {
      return malformed;
    }
  };
}

/** Encodes without the copy that the generated service definitions make. */
export function serializer<T>(type: MessageType<T>): (message: T) => Buffer {
  return (message) => {
    const bytes = type.encode(message).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

/** What grpc-js is given: it never sees a request, and gets its answers encoded. */
export const bareCodecs = {
  serialize: (message: Buffer): Buffer => message,
  deserialize: (bytes: Buffer): Buffer => bytes,
};
