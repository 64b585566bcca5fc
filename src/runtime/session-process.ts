import { constants, getPriority, setPriority } from 'node:os';
import { BatchTensors, type SentBatch } from './batch-tensors.js';
import { sentFeeds } from './feeds.js';
import { type OpenRefusal, ReplyKind } from './frames.js';
import { ContractError } from './model-contract.js';
import { type OnnxSession, openOnnxSession } from './onnx-session.js';
import { runFailureKind } from './run-failure.js';
import { ServerChannel } from './server-channel.js';
import { CHANNEL_FD, type SessionLaunch } from './session-launch.js';
import type { SessionInfo } from './types.js';

/** Linux gives a process at niceness 5 about a third of the share of one at niceness 0 if both want the same core. */
const SESSION_NICENESS = 5;

/*
 * Entry of a session process: opens one ONNX session, then answers batch after batch until the server closes its end
 * of the socket pair. The server decides when it stops, so it ignores signals that reach the whole process group, and
 * SIGUSR1, which would open Node's debugger.
 */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => {});

const launch: SessionLaunch = JSON.parse(process.argv[2] ?? '');

// If cores are scarce, the server's own thread goes first: it has little to do, and everything waits for it.
if (launch.spec.device === 'cpu')
  setPriority(Math.min(getPriority() + SESSION_NICENESS, constants.priority.PRIORITY_LOW));

const channel = new ServerChannel(CHANNEL_FD);
const session = await open();
if (session !== undefined) {
  const { inputs } = session.contract;
  const tensors = new BatchTensors(inputs);
  const sent = sentFeeds(
    launch.spec.feeds,
    inputs.map(({ feed }) => feed.name),
  );
  for (let batch = channel.readBatch(sent); batch !== undefined; batch = channel.readBatch(sent)) {
    await answer(session, tensors, batch);
  }
  await session.release();
}
process.exit(0);

async function open(): Promise<OnnxSession | undefined> {
  const startedAt = performance.now();
  try {
    const opened = await openOnnxSession(launch.spec);
    if (launch.watchServer) (await import('./server-watch.js')).watchServer();
    const info: SessionInfo = {
      pid: process.pid,
      device: launch.spec.device,
      inputs: opened.contract.inputs.map(({ feed }) => feed.name),
      labelCount: opened.labelCount,
      loadMs: performance.now() - startedAt,
    };
    channel.reply(ReplyKind.ready, info.loadMs, Buffer.from(JSON.stringify(info)));
    return opened;
  } catch (error) {
    const refusal: OpenRefusal =
      error instanceof ContractError
        ? { failure: 'contract', message: error.message }
        : { failure: 'load', message: `${launch.spec.modelPath}: ${messageOf(error)}` };
    channel.reply(ReplyKind.refused, 0, Buffer.from(JSON.stringify(refusal)));
    return undefined;
  }
}

async function answer(opened: OnnxSession, tensors: BatchTensors, batch: SentBatch): Promise<void> {
  try {
    const { logits, runMs } = await opened.run(tensors, batch);
    channel.reply(
      ReplyKind.logits,
      runMs,
      new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength),
    );
  } catch (error) {
    const message = messageOf(error);
    channel.reply(runFailureKind(message), 0, Buffer.from(message));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
