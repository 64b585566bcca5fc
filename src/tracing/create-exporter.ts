import { Metadata } from '@grpc/grpc-js';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace';

/** Where spans go. */
export interface ExporterOptions {
  readonly protocol: 'grpc' | 'http';
  /** `http://collector:4317`; https is TLS. Undefined: the protocol's port on this machine. */
  readonly endpoint: string | undefined;
  /** Sent with each export: credentials, say. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long an export may take, retries included, in milliseconds. */
  readonly timeoutMs: number;
}

const defaultEndpoints = { grpc: 'http://localhost:4317', http: 'http://localhost:4318' };

/** An exporter of OTLP: https://opentelemetry.io/docs/specs/otlp/ */
export function createExporter({ protocol, endpoint, headers, timeoutMs }: ExporterOptions): SpanExporter {
  const url = endpoint ?? defaultEndpoints[protocol];
  if (protocol === 'http') {
    return new HttpExporter({ url: `${url}/v1/traces`, headers: { ...headers }, timeoutMillis: timeoutMs });
  }
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new GrpcExporter({ url, metadata, timeoutMillis: timeoutMs });
}
