import type { CostSample } from '../cost/cost-curve.js';
import {
  type GoldenCheck,
  type InstanceGroup,
  type InstanceHooks,
  type InstanceOptions,
  type InstanceSubject,
  startInstances,
} from './instance-group.js';

/** Sessions that the threads of a model are divided among. More would divide them further, and hold more copies of the weights. */
const PARTS = 2;

export interface ServingOptions extends Omit<InstanceOptions, 'count'> {
  /** Session processes of each model; 0: one, and two more of half the threads where `splitFromMs` says so. */
  readonly instances: number;
  /** Run time of a single text, in milliseconds, from which on a second set of sessions pays. */
  readonly splitFromMs: number;
}

/** The sessions that a version serves with. */
export interface ServingSessions {
  readonly shared: InstanceGroup;
  /** One session with the threads of all the others, for a text that comes alone. */
  readonly lone: InstanceGroup | undefined;
  /** What runs of `shared` cost. */
  readonly samples: readonly CostSample[];
  /** Ends all processes: after their batch, or at once when the signal aborts. */
  close(signal?: AbortSignal): Promise<void>;
}

export interface ServingHooks extends InstanceHooks {
  /** The model keeps its one session. */
  onSplitRefused?(refusal: { readonly model: string; readonly reason: string }): void;
}

/**
 * Starts the sessions of a version and measures what their runs cost.
 *
 * Threads that share one run wait for each other at the end of every operator, and all of them for the one that something
 * else interrupted. Where there are texts enough, each thread is better off with a run of its own; a text that comes
 * alone is better off with all of them. A model that takes its time over a text gets both (ADR 0009). A quick one
 * keeps the first session: there the hand-over costs more than a second thread saves.
 *
 * @throws what `startInstances` and `measure` throw. Nothing is left running then
 */
export async function startServing<I>(
  subject: InstanceSubject<I>,
  options: ServingOptions,
  parts: {
    readonly measure: (group: InstanceGroup) => Promise<readonly CostSample[]>;
    /**
     * Whether each of several runs of a typical text took `limitMs` or longer on the group's first session. One run or the
     * curve is not enough: other models load meanwhile, and a quick model that looks slow costs two more processes.
     */
    readonly takes: (limitMs: number, group: InstanceGroup) => Promise<boolean>;
  },
  hooks: ServingHooks,
  signal: AbortSignal,
): Promise<ServingSessions> {
  const first = await startInstances(subject, { ...options, count: options.instances || 1 }, hooks, signal);
  // A measurement under way ends with its session.
  const giveUp = () => void first.close(signal);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    signal.throwIfAborted();
    const samples = await parts.measure(first);
    signal.throwIfAborted();
    const isSlow = mayDivide(options) && (await parts.takes(options.splitFromMs, first));
    const split = isSlow
      ? await startParts(first, subject, options, parts.measure, hooks, signal)
      : undefined;
    if (split === undefined) {
      return { shared: first, lone: undefined, samples, close: (force) => first.close(force) };
    }
    return {
      ...split,
      lone: first,
      close: async (force) => {
        await Promise.all([first.close(force), split.shared.close(force)]);
      },
    };
  } catch (error) {
    await first.close(signal);
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function mayDivide({ instances, device, intraOpThreads }: ServingOptions): boolean {
  return instances === 0 && device === 'cpu' && intraOpThreads >= PARTS;
}

/** The first session serves alone where this fails, for want of memory before all. */
async function startParts<I>(
  first: InstanceGroup,
  subject: InstanceSubject<I>,
  options: ServingOptions,
  measure: (group: InstanceGroup) => Promise<readonly CostSample[]>,
  hooks: ServingHooks,
  signal: AbortSignal,
): Promise<Pick<ServingSessions, 'shared' | 'samples'> | undefined> {
  let shared: InstanceGroup | undefined;
  const giveUp = () => void shared?.close(signal);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const intraOpThreads = Math.floor(options.intraOpThreads / PARTS);
    const part = { ...options, precision: first.precision, count: PARTS, intraOpThreads };
    // No precision is refused by this: what fails is told as what it is, below.
    const told = { onGoldenCheck: (check: GoldenCheck) => hooks.onGoldenCheck?.(check) };
    shared = await startInstances({ ...subject, proof: first.proof }, part, told, signal);
    signal.throwIfAborted();
    return { shared, samples: await measure(shared) };
  } catch (error) {
    await shared?.close(signal);
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    hooks.onSplitRefused?.({ model: subject.manifest.name, reason });
    return undefined;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
