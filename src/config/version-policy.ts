/** `latest`, `all`, or the numbers of versions. */
type Policy = 'latest' | 'all' | readonly string[];

const modelPattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const listPattern = /^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*$/;

/**
 * Which versions of a model are served, from words like `latest`, `all;intent=latest` and `sentiment=1,2;intent=all`.
 * @throws Error for what is not written like that
 */
export function versionPolicyIn(words: string): (model: string) => Policy {
  const found = parse(words);
  if (found === undefined) throw new Error('the versions of models are not written as they should be');
  const { ofOthers, ofModels } = found;
  return (model) => ofModels.get(model) ?? ofOthers;
}

/** Whether `versionPolicyIn` takes the words. */
export function isVersionPolicy(words: string): boolean {
  return parse(words) !== undefined;
}

function parse(
  words: string,
): { readonly ofOthers: Policy; readonly ofModels: ReadonlyMap<string, Policy> } | undefined {
  const ofModels = new Map<string, Policy>();
  let ofOthers: Policy | undefined;
  for (const entry of words.split(';').map((part) => part.trim())) {
    if (entry === 'latest' || entry === 'all') {
      if (ofOthers !== undefined) return undefined;
      ofOthers = entry;
      continue;
    }
    const [model = '', versions = '', ...rest] = entry.split('=').map((part) => part.trim());
    const policy = policyIn(versions);
    if (!modelPattern.test(model) || policy === undefined || rest.length > 0 || ofModels.has(model))
      return undefined;
    ofModels.set(model, policy);
  }
  return { ofOthers: ofOthers ?? 'latest', ofModels };
}

function policyIn(versions: string): Policy | undefined {
  if (versions === 'latest' || versions === 'all') return versions;
  return listPattern.test(versions) ? versions.split(',') : undefined;
}
