import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from './repository.js';

export type ToolName =
  | 'redis-server'
  | 'grpcurl'
  | 'python-grpc'
  | 'python-openapi'
  | 'python-wheel'
  | 'python-clients'
  | 'python-mlflow-3.17.2'
  | 'python-triton'
  | 'python-mlserver'
  | 'perf_analyzer'
  | 'python-locust-2.47.0'
  | 'rclone'
  | 'envoy'
  | 'hadolint'
  | 'curl'
  | 'promtool'
  | 'go'
  | 'mvn'
  | 'cargo'
  | 'actionlint-v1.7.12'
  | 'otelcol-v0.165.0';

type Provisioned = { readonly path: string } | Unavailable;

interface Unavailable {
  readonly unavailable: string;
  /** It cannot run on this machine, so CI skips its tests too. */
  readonly hopeless?: boolean;
}

const found = new Map<ToolName, Promise<Provisioned>>();

/** Tells where a program that npm cannot bring is, fetching it first where the machine lacks it. */
export function findTool(name: ToolName): Promise<Provisioned> {
  let tool = found.get(name);
  if (tool === undefined) {
    tool = provision(name);
    found.set(name, tool);
  }
  return tool;
}

/**
 * The path of a tool that a test needs. Where it cannot be had the test is marked as skipped, with the reason, and
 * the answer is undefined: return at once.
 * @throws Error instead, with `CI=true`, unless the tool cannot run on this machine at all
 */
export async function requireTool(t: TestContext, name: ToolName): Promise<string | undefined> {
  const tool = await findTool(name);
  if ('path' in tool) return tool.path;
  t.skip(missing(name, tool));
  return undefined;
}

/**
 * The value of a test's or a suite's `skip` option: false where the tool is there, else the reason.
 * @throws Error instead, with `CI=true`, unless the tool cannot run on this machine at all
 */
export async function skipWithout(name: ToolName): Promise<string | false> {
  const tool = await findTool(name);
  return 'path' in tool ? false : missing(name, tool);
}

async function provision(name: ToolName): Promise<Provisioned> {
  const path = join(repositoryRoot, 'scripts/tools/provision.mjs');
  const script: { provision(name: ToolName): Promise<Provisioned> } = await import(pathToFileURL(path).href);
  return script.provision(name);
}

function missing(name: ToolName, { unavailable, hopeless = false }: Unavailable): string {
  const reason = `${name} is unavailable: ${unavailable}`;
  if (process.env.CI === 'true' && !hopeless) throw new Error(reason);
  return reason;
}
