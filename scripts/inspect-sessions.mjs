// `npm run dev -- --inspect-sessions` loads this into the server: each session process gets an inspector on a free port,
// and the log says where. They get nothing of the server's own flags, of NODE_OPTIONS neither, and ignore SIGUSR1.
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

const { spawn } = childProcess;
childProcess.spawn = (program, args, options) => {
  const isSession = args?.[0]?.endsWith('session-process.js') === true;
  return spawn(program, isSession ? ['--inspect=127.0.0.1:0', ...args] : args, options);
};
syncBuiltinESMExports();
