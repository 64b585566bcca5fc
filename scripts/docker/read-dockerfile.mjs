import { DockerfileParser } from 'dockerfile-ast';

/**
 * @typedef {{ keyword: 'WORKDIR', path: string }
 *   | { keyword: 'ENV', entries: [string, string][] }
 *   | { keyword: 'COPY', from: string | undefined, sources: string[], destination: string }
 *   | { keyword: 'RUN', script: string }} Step what changes the image's files or the environment of the next step
 * @typedef {{ name: string, base: string, steps: Step[], user?: string, entrypoint?: string[], healthcheck?: string[],
 *   labels: Record<string, string> }} Stage
 */

/** Keywords that neither change files nor matter to a process that is started from them. */
const WITHOUT_EFFECT = new Set(['ARG', 'EXPOSE', 'STOPSIGNAL']);

/**
 * The stages of a Dockerfile, in order. An instruction or flag that nobody here knows how to follow is an error: a step
 * that is left out silently would prove nothing.
 *
 * @param {string} text
 * @returns {Stage[]}
 */
export function readDockerfile(text) {
  const dockerfile = DockerfileParser.parse(text);
  const presets = new Map(
    dockerfile.getInitialARGs().map((arg) => [arg.getProperty()?.getName(), arg.getProperty()?.getValue()]),
  );
  /** @type {Stage[]} */
  const stages = [];
  for (const instruction of dockerfile.getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM') stages.push(readFrom(instruction, presets));
    else if (!WITHOUT_EFFECT.has(keyword)) {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`${keyword} before the first FROM`);
      addInstruction(stage, keyword, instruction);
    }
  }
  return stages;
}

function readFrom(instruction, presets) {
  const [image, as, name, ...more] = words(instruction);
  if (as?.toUpperCase() !== 'AS' || name === undefined || more.length > 0)
    throw new Error('every FROM needs a name: FROM image AS name');
  const base = image.replaceAll(/\$\{(\w+)\}/g, (_, key) => presets.get(key) ?? '');
  return { name, base, steps: [], labels: {} };
}

function addInstruction(stage, keyword, instruction) {
  const args = words(instruction);
  const flags = instruction.getFlags?.() ?? [];
  if (keyword !== 'HEALTHCHECK' && flags.some((flag) => keyword !== 'COPY' || flag.getName() !== 'from'))
    throw new Error(`${keyword} ${String(flags[0])}: no flag but COPY --from is known here`);
  switch (keyword) {
    case 'WORKDIR':
      stage.steps.push({ keyword, path: args[0] });
      return;
    case 'ENV':
      stage.steps.push({ keyword, entries: properties(instruction) });
      return;
    case 'COPY':
      stage.steps.push({
        keyword,
        from: flags[0]?.getValue() ?? undefined,
        sources: args.slice(0, -1),
        destination: args.at(-1),
      });
      return;
    case 'RUN':
      stage.steps.push({ keyword, script: instruction.getArgumentsContent() });
      return;
    case 'LABEL':
      Object.assign(stage.labels, Object.fromEntries(properties(instruction)));
      return;
    case 'USER':
      stage.user = args[0];
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = jsonWords(instruction, keyword);
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = jsonWords(instruction, keyword);
      return;
    default:
      throw new Error(`${keyword} is not known here`);
  }
}

function words(instruction) {
  return instruction.getArguments().map((argument) => argument.getValue());
}

function properties(instruction) {
  return instruction.getProperties().map((property) => [property.getName(), property.getValue() ?? '']);
}

/** The words of an exec form, which is all that HEALTHCHECK CMD and ENTRYPOINT use here. */
function jsonWords(instruction, keyword) {
  const list = /\[.*\]/s.exec(instruction.getArgumentsContent() ?? '')?.[0];
  if (list === undefined) throw new Error(`${keyword} needs its exec form, a JSON list`);
  return JSON.parse(list);
}
