import { createServer } from 'node:net';

/** A place to listen, and the settings that choose it, as users know them. */
export interface ListenPlace {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly hostSetting: string;
  readonly portSetting: string;
}

/**
 * Finds out before the models are loaded, which takes seconds to minutes, whether the port can be had: listens there and
 * stops at once. The port is not kept open until then, since balancers and probes that only connect would take a server
 * for ready that is still loading, and calls sent to it would wait or fail; closed, it sends clients elsewhere. Should
 * somebody else take the port meanwhile, the real listening says so.
 *
 * @throws Error with a sentence
 */
export async function checkPort(place: ListenPlace): Promise<void> {
  if (place.port === 0) return;
  const server = createServer();
  await namingPlace(place, () => {
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: place.host, port: place.port, exclusive: true }, () =>
        server.close(() => resolve()),
      );
    });
  });
}

/** Turns what the system says to `listen` into a sentence that names the place and the setting. */
export async function namingPlace<T>(place: ListenPlace, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    throw new Error(trouble(place, error), { cause: error });
  }
}

function trouble({ host, port, hostSetting, portSetting }: ListenPlace, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use, perhaps by another Verdict; set another one with ${portSetting}`;
    case 'EACCES':
      return `port ${port} on ${host} is not allowed for this user; set another one with ${portSetting}`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine; set another one with ${hostSetting}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host} cannot be looked up; set another address with ${hostSetting}`;
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
