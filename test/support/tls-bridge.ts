import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server } from 'node:net';
import { connect } from 'node:tls';

/** Plain connections on the one side, TLS on the other: whoever speaks to it speaks to the server, from the same address. */
export class TlsBridge {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /**
   * @param ca the authority of the server's certificate
   * @param protocol that is spoken within, as ALPN names it
   */
  static async open(port: number, ca: string, protocol = 'h2'): Promise<TlsBridge> {
    const server = createServer((near) => {
      const localAddress = near.remoteAddress ?? '127.0.0.1';
      const socket = connectTcp({ port, host: '127.0.0.1', localAddress });
      const far = connect({ socket, host: '127.0.0.1', ca, ALPNProtocols: [protocol] });
      socket.on('error', () => {});
      near.on('error', () => {});
      far.on('error', () => {});
      near.once('close', () => far.destroy());
      far.once('close', () => near.destroy());
      near.pipe(far).pipe(near);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TlsBridge(server);
  }

  close(): void {
    this.#server.close();
  }
}
