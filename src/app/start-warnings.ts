import { isLoopback } from '../config/loopback.js';
import { settingName } from '../config/setting-name.js';
import type { Config } from '../config.js';
import type { Logger } from '../telemetry/logger.js';

/** A server that others reach and that asks nobody who they are may be meant so, but not by oversight. */
export function warnOfStrangers({ auth, tls, server, http }: Config, log: Logger): void {
  const knowsCallers =
    auth.keysFile !== undefined ||
    auth.jwtIssuer !== undefined ||
    (tls.clientCa !== undefined && tls.clientAuth === 'require');
  const ports = [
    { name: 'gRPC', host: server.host },
    ...(http.listen === 'on' ? [{ name: 'HTTP', host: http.host }] : []),
  ];
  if (knowsCallers) return;
  const how = `${settingName('auth.keysFile')}, ${settingName('auth.jwtIssuer')} or ${settingName('tls.clientCa')}`;
  for (const { name, host } of ports) {
    if (isLoopback(host)) continue;
    log.warn({ address: host }, `everybody who reaches the ${name} port may use it: set ${how}`);
  }
}

/** @param room connections that there are descriptors for */
export function warnOfLittleRoom(room: number, { server: { maxConnections } }: Config, log: Logger): void {
  if (room >= maxConnections) return;
  const name = settingName('server.maxConnections');
  log.warn({ room, maxConnections }, `the limit of open files (ulimit -n) is below ${name}`);
}
