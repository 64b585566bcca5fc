import type { BackoffOptions } from '../runtime/backoff.js';
import { openSession } from '../runtime/open-session.js';
import { type PrecisionChoice, precisionCandidates } from '../runtime/precision-candidates.js';
import { SessionSupervisor } from '../runtime/session-supervisor.js';
import type { Device, Precision, RuntimeHooks, Session } from '../runtime/types.js';
import type { Tokenizer } from '../tokenizer/types.js';
import type { Golden } from './golden.js';
import { checkGolden, type GoldenReport } from './golden-check.js';
import type { ModelManifest } from './manifest.js';
import { ModelLoadError } from './model-load-error.js';
import type { InstanceCounts } from './model-version.js';

export interface InstanceOptions {
  /** Settled before models are loaded. */
  readonly device: Device;
  readonly deviceId: number;
  readonly precision: PrecisionChoice;
  /** Session processes of each model. */
  readonly count: number;
  readonly intraOpThreads: number;
  readonly openTimeoutMs: number;
  readonly runTimeoutMs: number;
  readonly backoff: BackoffOptions;
}

/** How a session compared with the known answers. */
export interface GoldenCheck {
  readonly model: string;
  readonly precision: string;
  readonly report: GoldenReport;
}

/** Events for logs. None may throw. */
export interface InstanceHooks {
  onGoldenCheck?(check: GoldenCheck): void;
  /** `auto` passed over a precision. */
  onPrecisionRefused?(refusal: {
    readonly model: string;
    readonly precision: string;
    readonly reason: string;
  }): void;
}

/** The model whose sessions are wanted. */
export interface InstanceSubject {
  readonly manifest: ModelManifest;
  readonly golden: Golden | undefined;
  /** May still be loading: session processes start meanwhile. */
  readonly tokenizer: Promise<Tokenizer>;
  readonly runtimeHooks: RuntimeHooks;
}

/** The session processes of one version, in one precision, kept alive. */
export interface InstanceGroup {
  readonly precision: Precision;
  readonly device: Device;
  readonly counts: InstanceCounts;
  /** A session for the calibration, before any serves. */
  readonly first: Session;
  /**
   * From here on every ready session serves.
   * @param attach takes a session into service, and returns the way to take it out again
   */
  connect(attach: (session: Session) => () => void, onChange: () => void): void;
  /** Ends the processes: after their batch, or at once when the signal aborts. */
  close(signal?: AbortSignal): Promise<void>;
}

/**
 * Starts the sessions in the fastest precision that reproduces the golden answers.
 *
 * @param signal gives up the start
 * @throws ModelLoadError when no precision does; the error of the only or last candidate that could not be opened; the
 *   signal's reason
 */
export async function startInstances(
  subject: InstanceSubject,
  options: InstanceOptions,
  hooks: InstanceHooks,
  signal: AbortSignal,
): Promise<InstanceGroup> {
  const { manifest } = subject;
  const candidates = candidatesFor(subject, options);
  let refusal: unknown = new ModelLoadError(
    manifest.directory,
    `holds no ${options.precision === 'auto' ? 'weights for this device' : `${options.precision} weights`}`,
  );
  for (const precision of candidates) {
    try {
      return await startInPrecision(precision, subject, options, hooks, signal);
    } catch (error) {
      signal.throwIfAborted();
      refusal = error;
      const reason = error instanceof Error ? error.message : String(error);
      hooks.onPrecisionRefused?.({ model: manifest.name, precision, reason });
    }
  }
  throw refusal;
}

/** Without known answers nothing shows that reduced weights agree with the full ones. */
function candidatesFor(
  { manifest, golden }: InstanceSubject,
  options: InstanceOptions,
): readonly Precision[] {
  const available = Object.keys(manifest.weights) as Precision[];
  const candidates = precisionCandidates(options.precision, options.device, available);
  const unproven = options.precision === 'auto' && golden === undefined;
  return unproven ? candidates.filter((precision) => precision === 'fp32') : candidates;
}

async function startInPrecision(
  precision: Precision,
  subject: InstanceSubject,
  options: InstanceOptions,
  hooks: InstanceHooks,
  giveUp: AbortSignal,
): Promise<InstanceGroup> {
  const { manifest, tokenizer, runtimeHooks } = subject;
  const sessions = new Map<Session, (() => void) | undefined>();
  let attach: ((session: Session) => () => void) | undefined;
  let onChange = () => {};
  const supervisor = new SessionSupervisor({
    instances: options.count,
    backoff: options.backoff,
    hooks: runtimeHooks,
    open: async (signal) =>
      openSession(
        {
          modelPath: manifest.weights[precision] ?? '',
          device: options.device,
          deviceId: options.deviceId,
          intraOpThreads: options.intraOpThreads,
          padId: manifest.padId ?? (await tokenizer).padId,
          labelCount: manifest.labels.length,
        },
        {
          openTimeoutMs: options.openTimeoutMs,
          runTimeoutMs: options.runTimeoutMs,
          signal,
          hooks: runtimeHooks,
        },
      ),
    verify: (session) => verify(session, precision, subject, hooks),
    onReady: (session) => {
      sessions.set(session, attach?.(session));
      onChange();
    },
    onLost: (session) => {
      sessions.get(session)?.();
      sessions.delete(session);
      onChange();
    },
  });
  const abort = () => void supervisor.close(giveUp);
  giveUp.throwIfAborted();
  giveUp.addEventListener('abort', abort, { once: true });
  await supervisor.start().finally(() => giveUp.removeEventListener('abort', abort));
  return {
    precision,
    device: options.device,
    get counts() {
      return { ready: supervisor.readyCount, wanted: options.count };
    },
    get first() {
      const [first] = sessions.keys();
      if (first === undefined)
        throw new ModelLoadError(manifest.directory, 'lost its runtime process while loading');
      return first;
    },
    connect(attachSession, listener) {
      attach = attachSession;
      onChange = listener;
      for (const session of sessions.keys()) sessions.set(session, attachSession(session));
    },
    close: (signal) => supervisor.close(signal),
  };
}

async function verify(
  session: Session,
  precision: Precision,
  { manifest, golden, tokenizer }: InstanceSubject,
  hooks: InstanceHooks,
): Promise<void> {
  if (golden === undefined) return;
  const run = session.run.bind(session);
  const report = await checkGolden(golden, {
    tokenizer: await tokenizer,
    run,
    precision,
    problemType: manifest.problemType,
  });
  hooks.onGoldenCheck?.({ model: manifest.name, precision, report });
  if (!report.ok) {
    throw new ModelLoadError(
      manifest.goldenPath,
      `the ${precision} weights do not reproduce the known answers (${report.failures.join('; ')})`,
    );
  }
}
