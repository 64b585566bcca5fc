import type { Profiler } from 'node:inspector';

/** A frame of a flame graph, as d3-flame-graph reads it. */
export interface FlameNode {
  readonly name: string;
  /** Milliseconds in this frame and below. */
  readonly value: number;
  readonly children: readonly FlameNode[];
}

/** Time when nothing ran, which a flame graph has no frame for. */
const IDLE = '(idle)';

const US_PER_MS = 1000;

/** Self time by node of the profile, in milliseconds. */
export function selfTimes({ samples = [], timeDeltas = [] }: Profiler.Profile): Map<number, number> {
  const times = new Map<number, number>();
  samples.forEach((node, i) => {
    times.set(node, (times.get(node) ?? 0) + (timeDeltas[i] ?? 0) / US_PER_MS);
  });
  return times;
}

/** The call tree of a CPU profile, without the time that was idle; frames that were never on the stack are left out. */
export function flameTree(profile: Profiler.Profile): FlameNode {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const times = selfTimes(profile);
  const build = (node: Profiler.ProfileNode): FlameNode => {
    const children = (node.children ?? [])
      .map((id) => nodes.get(id))
      .filter((child) => child !== undefined && child.callFrame.functionName !== IDLE)
      .map((child) => build(child as Profiler.ProfileNode))
      .filter(({ value }) => value > 0);
    const below = children.reduce((sum, { value }) => sum + value, 0);
    return { name: frameName(node.callFrame), value: (times.get(node.id) ?? 0) + below, children };
  };
  const [root] = profile.nodes;
  if (root === undefined) return { name: '(root)', value: 0, children: [] };
  return build(root);
}

/** `function file:line`, the file from its package or from the repository's root on. */
export function frameName({ functionName, url, lineNumber }: Profiler.ProfileNode['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.replace(/^.*\/node_modules\//, '').replace(/^.*\/dist\//, '');
  return `${name} ${file}:${lineNumber + 1}`;
}
