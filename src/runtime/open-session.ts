import { SessionOpenError } from './errors.js';
import { type OpenRefusal, type Reply, ReplyKind } from './frames.js';
import { HostedSession } from './hosted-session.js';
import { SessionChild, type SessionChildEvents } from './session-child.js';
import type { SessionLaunch } from './session-launch.js';
import type { RuntimeHooks, Session, SessionInfo, SessionSpec } from './types.js';

const CLOSE_TIMEOUT_MS = 5000;

export interface OpenSessionOptions {
  /** Time from the start of the process to a ready session. */
  readonly openTimeoutMs: number;
  /** A longer run counts as a hang, and the process is killed: a run cannot be cancelled. */
  readonly runTimeoutMs: number;
  /** How long the process may take to release its session and exit before it is killed. Default: 5000. */
  readonly closeTimeoutMs?: number;
  /**
   * Whether the process ends even in the middle of a run if the server was killed. Costs the process a thread and about
   * 8 MB. Default: only on CUDA, where a run may hang; on the CPU a run ends, and then the process.
   */
  readonly watchServer?: boolean;
  /** Aborts the opening. */
  readonly signal?: AbortSignal;
  readonly hooks?: Pick<RuntimeHooks, 'onInstanceOutput'>;
}

/**
 * Starts a session process, opens the model in it and checks the model's contract.
 * @throws SessionOpenError for a model that cannot be loaded or is not a classifier of such inputs, or a process that
 *   fails; the signal's reason. The process is gone by then
 */
export async function openSession(spec: SessionSpec, options: OpenSessionOptions): Promise<Session> {
  options.signal?.throwIfAborted();
  let onReply: (reply: Reply) => void = () => {};
  const answered = new Promise<SessionInfo | OpenRefusal>((resolve) => {
    onReply = (reply) => {
      const answer = parseAnswer(reply);
      if (answer === undefined) child.kill('sent an invalid answer and was killed');
      else resolve(answer);
    };
  });
  const child = startChild(
    { spec, watchServer: options.watchServer ?? spec.device === 'cuda' },
    {
      onReply: (reply) => onReply(reply),
      onOutput: (line, pid) => options.hooks?.onInstanceOutput?.({ pid, line }),
    },
  );
  const abort = () => child.kill('given up');
  const timer = setTimeout(
    () => child.kill(`took longer than ${options.openTimeoutMs} ms to open and was killed`),
    options.openTimeoutMs,
  );
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    const answer = await Promise.race([answered, child.gone]);
    options.signal?.throwIfAborted();
    if (typeof answer === 'string') {
      throw new SessionOpenError('process', `${spec.modelPath}: the session process ${answer}`);
    }
    if ('failure' in answer) throw new SessionOpenError(answer.failure, answer.message);
    const session = new HostedSession(child, answer, spec.feeds, {
      runTimeoutMs: options.runTimeoutMs,
      closeTimeoutMs: options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS,
    });
    onReply = (reply) => session.accept(reply);
    return session;
  } catch (error) {
    child.kill('not opened');
    await child.gone;
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}

/** The first message of a process, or undefined if it is neither of the two valid ones. */
function parseAnswer({ kind, payload }: Reply): SessionInfo | OpenRefusal | undefined {
  if (kind !== ReplyKind.ready && kind !== ReplyKind.refused) return undefined;
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch {
    return undefined;
  }
}

function startChild(launch: SessionLaunch, events: SessionChildEvents): SessionChild {
  try {
    return new SessionChild(launch, events);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SessionOpenError(
      'process',
      `${launch.spec.modelPath}: the session process could not be started: ${reason}`,
    );
  }
}
