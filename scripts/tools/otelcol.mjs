import { fileURLToPath } from 'node:url';
import { buildGoModule } from './go-programs.mjs';

// That of the collector's modules in otelcol/go.mod. In the name of the tool too, so that no other one is taken for it.
const version = 'v0.165.0';

/** An OpenTelemetry Collector that takes OTLP over gRPC and HTTP, and writes files. */
export const otelcol = `otelcol-${version}`;

/**
 * Builds it with the Go toolchain of this machine: the released collectors are not on any package registry, and weigh 100 MB.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export function provideOtelcol() {
  const folder = fileURLToPath(new URL('./otelcol', import.meta.url));
  return buildGoModule(folder, { name: 'otelcol', goVersion: '1.26', suffix: `-${version}` });
}
