const empty = Buffer.alloc(0);

/** The smallest storage that is made for bytes that come in pieces. */
const minCapacity = 1024;

/**
 * Bytes that have arrived and are not parsed yet. The usual case, one chunk that is parsed at once, copies nothing. What
 * waits is copied into storage of its own: the chunks that Node hands out are slices of whole reads of the socket, so a
 * frame of one byte, kept as it is, would hold an object and up to 64 KiB.
 */
export class ByteQueue {
  #bytes: Buffer = empty;
  #start = 0;
  #end = 0;
  /** Whether the storage is this queue's own, with room behind the end. */
  #owned = false;

  /** Bytes that wait. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** Bytes of memory that they take. */
  get heldBytes(): number {
    return this.#owned ? this.#bytes.length : this.size;
  }

  /** The byte at a distance from the first one. */
  at(offset: number): number {
    return this.#bytes[this.#start + offset] ?? 0;
  }

  /** The distance of the first such byte, at this distance or behind it; below 0: there is none. */
  indexOf(byte: number, from: number): number {
    return this.#bytes.subarray(this.#start, this.#end).indexOf(byte, from);
  }

  /** The 32 bits, most significant first, at a distance from the first byte. */
  uint32At(offset: number): number {
    return this.#bytes.readUInt32BE(this.#start + offset);
  }

  /** @param expected bytes that will wait in the end, where that is known: the storage does not grow beyond it */
  append(chunk: Buffer, expected = 0): void {
    if (this.size === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    const size = this.size + chunk.length;
    if (!this.#owned || this.#end + chunk.length > this.#bytes.length) this.#move(size, expected);
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** Takes bytes off the front. The result is valid for good: storage is never written twice. */
  take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.#start, this.#start + length);
    this.#start += length;
    return taken;
  }

  skip(length: number): void {
    this.#start += length;
  }

  /** Moves what waits into storage of its own, since it will wait for longer than the turn. */
  keep(): void {
    const { size } = this;
    if (size === 0) this.clear();
    else if (!this.#owned && size * 2 < this.#bytes.buffer.byteLength) this.#move(size, 0);
  }

  clear(): void {
    this.#bytes = empty;
    this.#start = 0;
    this.#end = 0;
    this.#owned = false;
  }

  /** Storage doubles, so that a message in tiny pieces is copied twice and no more. */
  #move(size: number, expected: number): void {
    const doubled = Math.max(minCapacity, 2 * size);
    const capacity = Math.max(size, expected > 0 ? Math.min(doubled, expected) : doubled);
    const bytes = Buffer.allocUnsafeSlow(capacity);
    const waiting = this.size;
    this.#bytes.copy(bytes, 0, this.#start, this.#end);
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = waiting;
    this.#owned = true;
  }
}
