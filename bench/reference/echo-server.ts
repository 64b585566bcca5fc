import type { ProcessSet } from '../process-set.js';

/**
 * Starts a bare grpc-js server that answers at once: the cost of gRPC itself.
 *
 * @returns its address and its process id
 */
export async function startEchoServer(
  processes: ProcessSet,
): Promise<{ readonly address: string; readonly pid: number }> {
  const child = processes.child('./reference/echo-process.js');
  const { port } = await child.ask<{ port: number }>({});
  return { address: `127.0.0.1:${port}`, pid: child.pid };
}
