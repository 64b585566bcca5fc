import { WeightedFlow } from '../../claim.js';
import { Load, type LoadFacts } from '../../cost/load.js';
import type { ServiceClass } from '../types.js';
import { type HeapEntry, IndexedHeap } from './indexed-heap.js';
import { type Linked, LinkedQueue } from './linked-queue.js';
import type { Ahead, Queued, WorkQueue } from './work-queue.js';

/** What an input of a fair queue carries besides. */
export interface FairlyQueued<I extends FairlyQueued<I>> extends Queued, Linked<I> {
  /** Where it is queued; belongs to the queue. */
  lane: FlowQueue<I> | undefined;
}

const NOTHING: LoadFacts = new Load();

/**
 * The queue of a batcher: two classes that share by weight, and inside each its flows, which share alike or by weights of their own. Both levels are
 * start-time fair queueing in tokens (see {@link ClassQueue}), so every operation costs at most the logarithm of the
 * number of flows, and a window costs its own length.
 */
export class FairQueue<I extends FairlyQueued<I>> implements WorkQueue<I> {
  readonly #classes: Readonly<Record<ServiceClass, ClassQueue<I>>>;

  /** @param interactiveWeight tokens that the interactive class gets for each token of the bulk class */
  constructor(interactiveWeight: number) {
    this.#classes = { interactive: new ClassQueue(interactiveWeight), bulk: new ClassQueue(1) };
  }

  get size(): number {
    return this.#classes.interactive.load.items + this.#classes.bulk.load.items;
  }

  ahead(serviceClass: ServiceClass, flow: object | undefined): Ahead {
    const { interactive, bulk } = this.#classes;
    const [own, other] = serviceClass === 'bulk' ? [bulk, interactive] : [interactive, bulk];
    return {
      share: other.load.items === 0 ? 1 : own.weight / (own.weight + other.weight),
      classLoad: own.load,
      flowLoad: own.loadOf(flow),
      flows: own.flowsWith(flow),
    };
  }

  push(input: I): void {
    const own = this.#classes[input.serviceClass];
    if (own.load.items === 0) this.#activate(own);
    input.lane = own.push(input, input.flow);
  }

  remove(input: I): void {
    if (input.lane !== undefined) this.#classes[input.serviceClass].remove(input, input.lane);
  }

  charge(input: I): void {
    if (input.lane !== undefined) this.#classes[input.serviceClass].charge(input.lane, input.tokens);
  }

  requeue(input: I): void {
    const own = this.#classes[input.serviceClass];
    if (input.lane === undefined) this.push(input);
    else own.requeue(input, input.lane);
  }

  /**
   * What a batch may be chosen from, up to `count` inputs. The first one is the most urgent: of the class that has had
   * least for its weight, of the flow of it that has had least, the oldest input. The others are those that it may be
   * joined by: classes and flows that are further than `lead` tokens ahead of it are left out until it has caught up,
   * for nearest lengths alone could go on preferring them.
   *
   * A class that fills the batches of the other one keeps up in tokens without ever choosing the length. Where its oldest
   * input came at `overdueAt` or before, and none of its inputs was the first of a batch since, it goes first. The flows of
   * a class have the same problem and a like remedy: see {@link ClassQueue.window}.
   */
  window(count: number, lead: number, overdueAt: number): I[] {
    const { interactive, bulk } = this.#classes;
    if (interactive.load.items === 0) return bulk.window(count, lead, overdueAt);
    if (bulk.load.items === 0) return interactive.window(count, lead, overdueAt);
    const [ahead, behind] = interactive.pass <= bulk.pass ? [bulk, interactive] : [interactive, bulk];
    const outOfTurn = ahead.anchoredAt <= overdueAt && ahead.oldestAt <= overdueAt;
    const [first, second] = outOfTurn ? [ahead, behind] : [behind, ahead];
    if (second.pass > first.pass + lead) return first.window(count, lead, overdueAt);
    const inputs = first.window(count - Math.min(second.load.items, count >> 1), lead, overdueAt);
    for (const input of second.window(count - inputs.length, lead, overdueAt)) inputs.push(input);
    return inputs;
  }

  anchored(input: I, now: number): void {
    this.#classes[input.serviceClass].anchored(input, now);
  }

  all(): I[] {
    const { interactive, bulk } = this.#classes;
    const all = Number.POSITIVE_INFINITY;
    return [...interactive.window(all, all, -all), ...bulk.window(all, all, -all)];
  }

  /** A class that comes in starts where the other one stands, unless it is further on. */
  #activate(own: ClassQueue<I>): void {
    const { interactive, bulk } = this.#classes;
    own.pass = Math.max(own.pass, (own === bulk ? interactive : bulk).pass);
  }
}

/**
 * The queued inputs of one class, by flow.
 *
 * Start-time fair queueing (P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair Queuing", SIGCOMM 1996; the same idea for
 * processors is C. A. Waldspurger's stride scheduling, 1995): a flow carries a pass, the tokens that it has had for its
 * weight, and the one with the smallest pass is the next. A flow that comes in starts where the most backward one stands, or where it
 * left itself if that is further on: by staying away nobody saves anything up, and by emptying its queue nobody gets rid
 * of what it has had. Where no flow waits, everybody starts level again.
 */
class ClassQueue<I extends FairlyQueued<I>> {
  readonly load = new Load();
  /** Tokens that the class has had, divided by its weight. */
  pass = 0;
  readonly weight: number;
  /** When an input of this class was the first of a batch, the last time; on the batcher's clock. */
  anchoredAt = Number.NEGATIVE_INFINITY;
  /** Of the flows that have something queued, added up. */
  #activeWeight = 0;
  readonly #active = new IndexedHeap<FlowQueue<I>>((flow) => flow.pass);
  readonly #flows = new WeakMap<object, FlowQueue<I>>();
  /** Of all inputs that name no flow. */
  readonly #common = new FlowQueue<I>();
  #highestPass = 0;
  /** Whether the latest batch of this class went to its oldest input, out of turn. */
  #oldestWentLast = false;

  constructor(weight: number) {
    this.weight = weight;
  }

  /** The input that comes first: the oldest one of the flow that has had least. */
  get head(): I | undefined {
    return this.#active.first?.head;
  }

  /** What a flow has queued here. */
  loadOf(flow: object | undefined): LoadFacts {
    return (flow === undefined ? this.#common : this.#flows.get(flow))?.load ?? NOTHING;
  }

  /** How many flows of its weight share the class as soon as this one has something queued. */
  flowsWith(flow: object | undefined): number {
    const weight = weightOf(flow);
    return this.#activeWeight / weight + (this.loadOf(flow).items > 0 ? 0 : 1);
  }

  push(input: I, flow: object | undefined): FlowQueue<I> {
    const queue = this.#flowQueue(flow);
    this.#activate(queue);
    queue.push(input);
    this.load.add(input.tokens);
    return queue;
  }

  /** Takes out an input of this class. */
  remove(input: I, queue: FlowQueue<I>): void {
    queue.remove(input);
    this.load.remove(input.tokens);
    if (queue.load.items > 0) return;
    this.#active.remove(queue);
    this.#activeWeight -= queue.weight;
  }

  /** The flow has had these tokens. */
  charge(queue: FlowQueue<I>, tokens: number): void {
    queue.pass += tokens / queue.weight;
    this.pass += tokens / this.weight;
    this.#highestPass = Math.max(this.#highestPass, queue.pass);
    this.#active.moved(queue);
  }

  /** Puts an input back to the front of its flow: it was charged for a run that came to nothing. */
  requeue(input: I, queue: FlowQueue<I>): void {
    queue.pass -= input.tokens / queue.weight;
    this.pass -= input.tokens / this.weight;
    if (queue.heapIndex < 0) this.#enter(queue);
    else this.#active.moved(queue);
    queue.unshift(input);
    this.load.add(input.tokens);
  }

  /** When the oldest input came, on the batcher's clock; Infinity: there is none. */
  get oldestAt(): number {
    let oldestAt = Number.POSITIVE_INFINITY;
    for (const flow of this.#active.entries) oldestAt = Math.min(oldestAt, flow.oldestAt);
    return oldestAt;
  }

  /** A batch was chosen with this input as its first. */
  anchored(input: I, now: number): void {
    this.anchoredAt = now;
    this.#oldestWentLast = input !== this.head;
  }

  /**
   * Up to `count` inputs: the head, and then in turns the oldest ones of every flow that is at most `lead` tokens ahead of
   * the head's.
   *
   * Every other time the head gives way to the oldest of all these, if that one came at `overdueAt` or before: inputs of
   * all flows fill the batches, so a flow keeps up in tokens while an input of an odd length, which fits into nobody's
   * batch, waits for its flow's turn to come once for every older input of it.
   */
  window(count: number, lead: number, overdueAt: number): I[] {
    const [first] = this.#active.upTo(Number.POSITIVE_INFINITY, 1);
    if (first === undefined) return [];
    const flows = this.#active.upTo(first.pass + lead, count);
    if (!this.#oldestWentLast) oldestFirst(flows, overdueAt);
    const next = flows.map((flow) => flow.head);
    const inputs: I[] = [];
    for (let left = next.length; left > 0; ) {
      left = 0;
      for (let i = 0; i < next.length && inputs.length < count; i++) {
        const input = next[i];
        if (input === undefined) continue;
        inputs.push(input);
        next[i] = input.next;
        left++;
      }
    }
    return inputs;
  }

  #flowQueue(flow: object | undefined): FlowQueue<I> {
    if (flow === undefined) return this.#common;
    let queue = this.#flows.get(flow);
    if (queue === undefined) {
      queue = new FlowQueue<I>(weightOf(flow));
      this.#flows.set(flow, queue);
    }
    return queue;
  }

  #activate(queue: FlowQueue<I>): void {
    if (queue.heapIndex >= 0) return;
    queue.pass = Math.max(queue.pass, this.#active.first?.pass ?? this.#highestPass);
    this.#enter(queue);
  }

  #enter(queue: FlowQueue<I>): void {
    this.#active.add(queue);
    this.#activeWeight += queue.weight;
  }
}

/** The queued inputs of one flow, oldest first, and how much the flow has had. */
export class FlowQueue<I extends FairlyQueued<I>> implements HeapEntry {
  readonly load = new Load();
  /** Tokens served, divided by the weight and counted from where the others stood when the flow came in: see {@link ClassQueue}. */
  pass = 0;
  heapIndex = -1;
  readonly weight: number;
  readonly #inputs = new LinkedQueue<I>();

  constructor(weight = 1) {
    this.weight = weight;
  }

  get head(): I | undefined {
    return this.#inputs.head;
  }

  /** When the first input came; Infinity: there is none. */
  get oldestAt(): number {
    return this.#inputs.head?.enqueuedAt ?? Number.POSITIVE_INFINITY;
  }

  push(input: I): void {
    this.#inputs.push(input);
    this.load.add(input.tokens);
  }

  unshift(input: I): void {
    this.#inputs.unshift(input);
    this.load.add(input.tokens);
  }

  remove(input: I): void {
    this.#inputs.remove(input);
    this.load.remove(input.tokens);
  }
}

function weightOf(flow: object | undefined): number {
  return flow instanceof WeightedFlow ? flow.weight : 1;
}

/** Moves the flow with the oldest input to the front, if that input came at `overdueAt` or before. */
function oldestFirst<I extends FairlyQueued<I>>(flows: FlowQueue<I>[], overdueAt: number): void {
  let oldest = 0;
  for (let i = 1; i < flows.length; i++) {
    if ((flows[i]?.oldestAt ?? 0) < (flows[oldest]?.oldestAt ?? 0)) oldest = i;
  }
  const [first, found] = [flows[0], flows[oldest]];
  if (first === undefined || found === undefined || found.oldestAt > overdueAt) return;
  flows[0] = found;
  flows[oldest] = first;
}
