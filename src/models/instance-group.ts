import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { BackoffOptions } from '../runtime/backoff.js';
import type { Feed } from '../runtime/feeds.js';
import { openSession } from '../runtime/open-session.js';
import { type PrecisionChoice, precisionCandidates } from '../runtime/precision-candidates.js';
import { SessionSupervisor } from '../runtime/session-supervisor.js';
import type { Device, Precision, RuntimeHooks, Session } from '../runtime/types.js';
import type { Golden } from './golden.js';
import type { GoldenReport } from './golden-check.js';
import type { ModelManifest } from './manifest.js';
import { ModelLoadError } from './model-load-error.js';
import type { InstanceCounts } from './model-version.js';
import { noRest, pacedRun, type Rest } from './paced-run.js';
import { type ProofSubject, proveAnswers, proveSession, type SessionProof } from './prove-session.js';
import { ensureUnchanged } from './weights.js';

/** Known answers that a session must reproduce before it serves: few, so that a start and a replacement are quick. */
const START_SAMPLE = 16;

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
export interface InstanceSubject<I> {
  readonly manifest: ModelManifest;
  readonly golden: Golden<I> | undefined;
  /** What sessions are fed with. */
  readonly feeds: readonly Feed[] | Promise<readonly Feed[]>;
  /** May still be loading: session processes start meanwhile. */
  readonly preprocessor: Promise<Preprocessor<I>>;
  readonly runtimeHooks: RuntimeHooks;
  /** What other sessions of the same weights were found to do; undefined: the first session is tried. */
  readonly proof?: SessionProof;
  /** After each run of a session that does not serve yet. Default: none. */
  readonly rest?: Rest;
}

/** The session processes of one version, in one precision, kept alive. */
export interface InstanceGroup {
  readonly precision: Precision;
  readonly device: Device;
  readonly proof: SessionProof;
  readonly counts: InstanceCounts;
  /** The processes of the sessions that are ready. */
  readonly pids: readonly number[];
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
export async function startInstances<I>(
  subject: InstanceSubject<I>,
  options: InstanceOptions,
  hooks: InstanceHooks,
  signal: AbortSignal,
): Promise<InstanceGroup> {
  const { manifest } = subject;
  const candidates = candidatesFor(manifest, subject.golden, options);
  let refusal: unknown;
  for (const [index, precision] of candidates.entries()) {
    try {
      const isLast = index === candidates.length - 1;
      return await startInPrecision(precision, isLast, subject, options, hooks, signal);
    } catch (error) {
      signal.throwIfAborted();
      refusal = error;
      const reason = error instanceof Error ? error.message : String(error);
      hooks.onPrecisionRefused?.({ model: manifest.name, precision, reason });
    }
  }
  throw refusal;
}

/**
 * The precisions to try, in order. Without known answers nothing shows that reduced weights agree with the full ones:
 * they serve only where they are asked for by name.
 * @throws ModelLoadError where there are none
 */
export function candidatesFor(
  { directory, weights }: ModelManifest,
  golden: Golden<unknown> | undefined,
  { precision: choice, device }: Pick<InstanceOptions, 'precision' | 'device'>,
): readonly Precision[] {
  const available = Object.keys(weights) as Precision[];
  const held = available.join(' and ');
  const candidates = precisionCandidates(choice, device, available);
  const unproven = choice === 'auto' && golden === undefined;
  const proven = unproven ? candidates.filter((precision) => precision === 'fp32') : candidates;
  if (proven.length > 0) return proven;
  if (choice !== 'auto') throw new ModelLoadError(directory, `holds no ${choice} weights, only ${held}`);
  if (candidates.length === 0) {
    throw new ModelLoadError(directory, `holds only ${held} weights, which auto does not take on ${device}`);
  }
  throw new ModelLoadError(
    directory,
    `holds only ${held} weights, and no golden.json that shows that their answers are right: add one, or fp32 weights, ` +
      `or choose them with VERDICT_PRECISION=${candidates[0]}`,
  );
}

async function startInPrecision<I>(
  precision: Precision,
  isLast: boolean,
  subject: InstanceSubject<I>,
  options: InstanceOptions,
  hooks: InstanceHooks,
  giveUp: AbortSignal,
): Promise<InstanceGroup> {
  const { manifest, preprocessor, runtimeHooks } = subject;
  const weights = manifest.weights[precision];
  if (weights === undefined) throw new ModelLoadError(manifest.directory, `holds no ${precision} weights`);
  if (weights.problem !== undefined) throw weights.problem;
  let proof = subject.proof === undefined ? undefined : Promise.resolve(subject.proof);
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
          modelPath: weights.path,
          device: options.device,
          deviceId: options.deviceId,
          intraOpThreads: options.intraOpThreads,
          feeds: await subject.feeds,
          labelCount: manifest.labels.length,
        },
        {
          openTimeoutMs: options.openTimeoutMs,
          runTimeoutMs: options.runTimeoutMs,
          signal,
          hooks: runtimeHooks,
        },
      ),
    verify: async (session) => {
      await ensureUnchanged(weights);
      const { golden } = subject;
      const known: ProofSubject<I> = {
        manifest,
        precision,
        weights,
        golden,
        preprocessor: await preprocessor,
      };
      const run = pacedRun(session.run.bind(session), subject.rest ?? noRest);
      proof ??= proveSession(run, known);
      const found = await proof;
      if (!isLast && found.batching !== 'padded') throw dependsOnNeighbours(weights.path);
      const report = await proveAnswers(run, known, found, START_SAMPLE);
      if (report !== undefined) hooks.onGoldenCheck?.({ model: manifest.name, precision, report });
    },
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
  const found = await proof;
  if (found === undefined) throw new ModelLoadError(weights.path, 'was not tried on any session');
  return {
    precision,
    device: options.device,
    proof: found,
    get counts() {
      return { ready: supervisor.readyCount, wanted: options.count };
    },
    get pids() {
      return [...sessions.keys()].map(({ info }) => info.pid);
    },
    get first() {
      const [first] = sessions.keys();
      if (first === undefined) throw new ModelLoadError(manifest.directory, 'lost its session while loading');
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

/** Of a reduced precision, where another one is left to try: the scales of a batch see all of its rows. */
function dependsOnNeighbours(path: string): ModelLoadError {
  return new ModelLoadError(path, 'changes its answers with the other inputs in a batch');
}
