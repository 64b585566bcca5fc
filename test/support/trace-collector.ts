import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { findTool } from './tool.js';
import { until } from './until.js';

type Value = { readonly stringValue?: string; readonly intValue?: string };

/** A span as OTLP writes it in JSON, without what the tests do not look at. */
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly { readonly key: string; readonly value: Value }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
}

interface OtlpExport {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** A span that the collector received. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it has none. */
  readonly parentId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'other';
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Ids of the spans that it links to. */
  readonly links: readonly string[];
  readonly isError: boolean;
  /** Of the service. */
  readonly resource: Readonly<Record<string, string | number>>;
}

const kinds: Readonly<Record<number, ReceivedSpan['kind']>> = { 1: 'internal', 2: 'server', 3: 'client' };
const errorStatus = 2;

/** A real OpenTelemetry Collector on free ports, which writes what it receives into a file. */
export class TraceCollector {
  readonly grpcUrl: string;
  readonly httpUrl: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, ports: { grpc: number; http: number }) {
    this.#child = child;
    this.#folder = folder;
    this.grpcUrl = `http://127.0.0.1:${ports.grpc}`;
    this.httpUrl = `http://127.0.0.1:${ports.http}`;
  }

  /** Starts one and waits until it takes spans. It must be there: see `requireTool`. */
  static async start(): Promise<TraceCollector> {
    const tool = await findTool('otelcol-v0.165.0');
    assert.ok('path' in tool);
    const ports = { grpc: await freePort(), http: await freePort() };
    const folder = await mkdtemp(join(tmpdir(), 'verdict-traces-'));
    const config = {
      receivers: {
        otlp: {
          protocols: {
            grpc: { endpoint: `127.0.0.1:${ports.grpc}` },
            http: { endpoint: `127.0.0.1:${ports.http}` },
          },
        },
      },
      exporters: { file: { path: join(folder, 'traces'), flush_interval: '50ms' } },
      service: {
        telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
        pipelines: { traces: { receivers: ['otlp'], exporters: ['file'] } },
      },
    };
    // JSON is YAML.
    const child = spawn(tool.path, ['--config', `yaml:${JSON.stringify(config)}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    const collector = new TraceCollector(child, folder, ports);
    try {
      await until('the collector takes spans', async () => {
        if (child.exitCode !== null) throw new Error(`the collector ended: ${complaints}`);
        return collector.#takesSpans();
      });
      return collector;
    } catch (error) {
      await collector.stop();
      throw error;
    }
  }

  /** All that has arrived, as it was written. */
  async text(): Promise<string> {
    return readFile(join(this.#folder, 'traces'), 'utf8');
  }

  /** All spans that have arrived. */
  async spans(): Promise<ReceivedSpan[]> {
    const lines = (await this.text()).split('\n').slice(0, -1);
    const exports = lines.map((line): OtlpExport => JSON.parse(line));
    return exports.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans.map((span) => received(span, valuesOf(resource.attributes)))),
      ),
    );
  }

  /** Waits until a span of that kind is there, and gives all spans then. */
  async until(what: string, isWanted: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan[]> {
    await until(what, async () => (await this.spans()).some(isWanted));
    return this.spans();
  }

  /** SIGSTOP: it keeps its connections, and answers nothing. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exit;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #takesSpans(): Promise<boolean> {
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    return fetch(`${this.httpUrl}/v1/traces`, request).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}

function received(span: OtlpSpan, resource: ReceivedSpan['resource']): ReceivedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentId: span.parentSpanId ?? '',
    traceState: span.traceState ?? '',
    name: span.name,
    kind: kinds[span.kind] ?? 'other',
    startMs: Number(span.startTimeUnixNano) / 1e6,
    endMs: Number(span.endTimeUnixNano) / 1e6,
    attributes: valuesOf(span.attributes),
    links: (span.links ?? []).map(({ spanId }) => spanId),
    isError: span.status?.code === errorStatus,
    resource,
  };
}

function valuesOf(attributes: OtlpSpan['attributes'] = []): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
}
