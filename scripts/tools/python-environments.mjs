import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from './find-tool.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** What docs/clients.md tells Python users to install, at the versions that the tests run with. */
const grpcPackages = ['grpcio==1.76.0', 'grpcio-tools==1.76.0', 'googleapis-common-protos==1.72.0'];

/** What holds the OpenAPI document to the server, and what makes a client of it. */
const openapiPackages = ['schemathesis==4.32.5', 'hypothesis==6.170.15', 'openapi-python-client==0.29.1'];

/** Makes it prove that the packages are there. */
export const pythonGrpcArgs = ['-c', 'import grpc, grpc_tools, google.rpc.status_pb2'];
export const pythonOpenapiArgs = ['-c', 'import schemathesis, openapi_python_client'];

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonGrpc = () => provideEnvironment('python-grpc', 'python', grpcPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonOpenapi = () =>
  provideEnvironment('python-openapi', 'python-openapi', openapiPackages);

/** Puts a Python with the packages into a virtual environment of its own, behind a script of that name. */
async function provideEnvironment(name, folder, packages) {
  const python = await findTool('python3', ['--version']);
  if (python === undefined) return 'python3 is not on the PATH';
  const environment = join(toolsDir, folder);
  await rm(environment, { recursive: true, force: true });
  const made = await runCommand(python, ['-m', 'venv', environment], { timeoutMs: 120_000 });
  if (!made.ok) return made.reason;
  const own = join(environment, 'bin/python');
  const installed = await runCommand(own, ['-m', 'pip', 'install', '--quiet', ...packages], {
    timeoutMs: 300_000,
    env: process.env,
  });
  if (!installed.ok) return installed.reason;
  const script = join(toolsDir, 'bin', name);
  await mkdir(join(toolsDir, 'bin'), { recursive: true });
  await writeFile(script, `#!/bin/sh\nexec '${own}' "$@"\n`);
  await chmod(script, 0o755);
  return '';
}
