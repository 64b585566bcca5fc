import { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { CredentialSource } from '../tls/credential-watch.js';
import { failureOf } from '../tls/handshake-failure.js';
import { type ClientAuth, contextOptions, serverOptions } from '../tls/server-options.js';
import type { HandshakeFailure } from '../tls/types.js';

/** TLS on the gRPC port. */
export interface RpcTls {
  readonly credentials: CredentialSource;
  /** Holds where the credentials have authorities for clients. */
  readonly clientAuth: ClientAuth;
  readonly onFailed?: (reason: HandshakeFailure) => void;
}

/** A client on a slow line takes a second or two. */
const handshakeMs = 10_000;

/** Turns accepted connections into decrypted ones that speak HTTP/2. */
export class Handshakes {
  readonly #tls: RpcTls;
  /** Never listens: it gets connections that are accepted and counted elsewhere. */
  readonly #server: Server;

  /** @param onConnection gets the decrypted connection, and the TCP connection below it */
  constructor(tls: RpcTls, onConnection: (decrypted: TLSSocket, socket: Socket) => void) {
    this.#tls = tls;
    const { credentials, clientAuth } = tls;
    this.#server = createServer({
      ...serverOptions(credentials.current, clientAuth === 'require'),
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeMs,
    });
    this.#server.on('secureConnection', (socket) => {
      // The connection below has the same error, and the HTTP/2 session hears of its end.
      socket.on('error', () => {});
      const failure = this.#failureOf(socket);
      if (failure === undefined) onConnection(socket, tcpSocketOf(socket));
      else {
        socket.destroy();
        tls.onFailed?.(failure);
      }
    });
    this.#server.on('tlsClientError', (error, socket) => {
      socket.destroy();
      tls.onFailed?.(failureOf(error, socket));
    });
    // A handshake under way goes on with what it began with.
    credentials.onChange((changed) => this.#server.setSecureContext(contextOptions(changed)));
  }

  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** What OpenSSL lets pass. */
  #failureOf(socket: TLSSocket): HandshakeFailure | undefined {
    // A client that offers no protocol at all.
    if (socket.alpnProtocol !== 'h2') return 'alpn';
    const asks = this.#tls.credentials.current.clientCa !== undefined;
    return asks && !socket.authorized && socket.getPeerX509Certificate() !== undefined
      ? 'bad_certificate'
      : undefined;
  }
}

/** Node keeps it to itself. Where it is not found the TLS socket stands for it: to close that waits for its last write. */
function tcpSocketOf(socket: TLSSocket): Socket {
  const below: unknown = Reflect.get(socket, '_parent');
  return below instanceof Socket ? below : socket;
}
