// `npm run envoy`: Envoy with deploy/envoy/envoy.yaml in front of the server that `npm start` runs. Envoy is looked
// for on the PATH and fetched where it is not there. Further arguments are Envoy's: `npm run envoy -- -l debug`.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { provision } from './tools/provision.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const envoy = await provision('envoy', { retry: true });
if ('unavailable' in envoy) {
  console.error(`Envoy is unavailable: ${envoy.unavailable}`);
  process.exit(1);
}
const args = ['--config-path', 'deploy/envoy/envoy.yaml', '--disable-hot-restart', '--log-level', 'warn'];
const child = spawn(envoy.path, [...args, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
