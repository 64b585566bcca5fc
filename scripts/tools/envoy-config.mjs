/** Envoy's own ports where the arguments do not say. */
const DEFAULT_PORTS = { port: 8080, adminPort: 9901 };

/** What a server that listens everywhere is reached by from here. */
const REACHED_BY = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * deploy/envoy/envoy.yaml with other ports, in front of another server.
 *
 * @param {string} yaml
 * @param {{ server: { host: string, port: number }, port: number, adminPort: number }} places
 * @returns {{ yaml: string, upstream: { host: string, port: number } }}
 * @throws Error where the server has no fixed port, or the file is not as it was
 */
export function envoyConfigFor(yaml, { server, port, adminPort }) {
  if (server.port === 0) throw new Error('VERDICT_PORT is 0, any free port: Envoy cannot know which');
  const upstream = { host: REACHED_BY[server.host] ?? server.host, port: server.port };
  const address = (host, number) => `address: ${JSON.stringify(host)}, port_value: ${number}`;
  const changes = [
    ['address: 127.0.0.1, port_value: 8080', address('127.0.0.1', port)],
    ['address: 127.0.0.1, port_value: 9901', address('127.0.0.1', adminPort)],
    ['address: 127.0.0.1, port_value: 50051', address(upstream.host, upstream.port)],
  ];
  let text = yaml;
  for (const [from, to] of changes) {
    if (text.split(from).length !== 2) throw new Error(`deploy/envoy/envoy.yaml must hold "${from}" once`);
    text = text.replace(from, () => to);
  }
  return { yaml: text, upstream };
}

/**
 * Takes `--port` and `--admin-port` out of the arguments.
 *
 * @param {readonly string[]} argv
 * @returns {{ ports: { port: number, adminPort: number }, rest: string[] }}
 */
export function takePorts(argv) {
  const ports = { ...DEFAULT_PORTS };
  const rest = [];
  for (let at = 0; at < argv.length; at++) {
    const [, name, inline] = /^--(port|admin-port)(?:=(.*))?$/.exec(argv[at]) ?? [];
    if (name === undefined) {
      rest.push(argv[at]);
      continue;
    }
    const value = inline ?? argv[++at];
    if (!/^\d{1,5}$/.test(value ?? '') || Number(value) > 65_535) {
      throw new Error(`--${name} must be a port, from 0 to 65535; it is "${value ?? ''}"`);
    }
    ports[name === 'port' ? 'port' : 'adminPort'] = Number(value);
  }
  return { ports, rest };
}
