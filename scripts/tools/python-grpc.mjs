import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from './find-tool.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** What docs/clients.md tells Python users to install, at the versions that the tests run with. */
const packages = ['grpcio==1.76.0', 'grpcio-tools==1.76.0', 'googleapis-common-protos==1.72.0'];

/** Makes it prove that the packages are there. */
export const pythonGrpcArgs = ['-c', 'import grpc, grpc_tools, google.rpc.status_pb2'];

/**
 * Puts a Python with the gRPC packages into a virtual environment of its own, behind a script named `python-grpc`.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export async function providePythonGrpc() {
  const python = await findTool('python3', ['--version']);
  if (python === undefined) return 'python3 is not on the PATH';
  const environment = join(toolsDir, 'python');
  await rm(environment, { recursive: true, force: true });
  const made = await runCommand(python, ['-m', 'venv', environment], { timeoutMs: 120_000 });
  if (!made.ok) return made.reason;
  const own = join(environment, 'bin/python');
  const installed = await runCommand(own, ['-m', 'pip', 'install', '--quiet', ...packages], {
    timeoutMs: 300_000,
    env: process.env,
  });
  if (!installed.ok) return installed.reason;
  const script = join(toolsDir, 'bin/python-grpc');
  await mkdir(join(toolsDir, 'bin'), { recursive: true });
  await writeFile(script, `#!/bin/sh\nexec '${own}' "$@"\n`);
  await chmod(script, 0o755);
  return '';
}
