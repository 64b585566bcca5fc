import type { Status } from '../../generated/google/rpc/status.js';
import type { Arrived } from './call-waits.js';

/** What carries one call between the server and its caller: a stream of HTTP/2, or this process. For `ServedCall` alone. */
export interface CallTransport {
  /** What has come of the request; undefined: nothing comes any more. */
  readonly arrived: Arrived | undefined;
  /** The first value of a metadata key. */
  metadata(key: string): string | undefined;
  /** The same, once: nobody can read it afterwards. */
  takeMetadata(key: string): string | undefined;
  /** One more message is wanted: the call hears of it, or of the half-close, perhaps at once. */
  want(): void;
  /** Sends an encoded message. `onTaken` is called once the peer has taken it. @throws what the call fails with */
  send(bytes: Buffer, onTaken: () => void): void;
  /** Sends the last word. @param error what the status was made of; undefined: all went well */
  sendEnd(status: Status, error: unknown): void;
  /** The call has ended: no message is wanted any more, and nobody reads its metadata. */
  onEnded(): void;
  /**
   * The call was ended because the server held too much. What is held for it goes before this returns.
   * @param stalled the peer has not taken what was sent to it, so that no status can reach it
   */
  onShed(stalled: boolean): void;
  /** A look at a call that has ended, once a second or so. @param idleMs how long ago it ended, or last sent something */
  inspectEnded(idleMs: number): void;
}
