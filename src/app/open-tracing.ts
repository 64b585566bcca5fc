import type { Config } from '../config.js';
import type { Tracing } from '../tracing/open-tracing.js';
import type { TracingHooks } from '../tracing/types.js';

/** Undefined where nothing is traced: then nothing of OpenTelemetry is loaded. */
export async function openTracing(
  {
    exporter,
    endpoint,
    headers = '',
    serviceName = 'verdict',
    sampleRatio,
    askedPerMinute,
  }: Config['tracing'],
  version: string,
  hooks: TracingHooks,
): Promise<Tracing | undefined> {
  if (exporter === 'off') return undefined;
  const tracing = await import('../tracing/open-tracing.js');
  return tracing.openTracing(
    {
      protocol: exporter,
      endpoint: endpoint?.replace(/\/$/, ''),
      headers: headersFrom(headers),
      serviceName,
      version,
      ratio: sampleRatio,
      askedPerMinute,
    },
    hooks,
  );
}

/** As OTEL_EXPORTER_OTLP_HEADERS has them: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
function headersFrom(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}
