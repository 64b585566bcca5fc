import { openapiOverlay, resolveJsonPathValue } from 'openapi-format';

/**
 * Applies an OpenAPI overlay, action by action.
 *
 * @param {object} document changed in place
 * @param {{ actions: readonly { target: string }[] }} overlay
 * @returns {Promise<object>} the document
 * @throws Error where an action, or one of the names in its target, finds nothing to change: what it was about is gone
 */
export async function applyOverlay(document, overlay) {
  let result = document;
  for (const action of overlay.actions) {
    for (const target of singleTargets(action.target)) {
      if (resolveJsonPathValue(result, target).length === 0) throw new Error(`nothing is at ${target}`);
    }
    const applied = await openapiOverlay(result, { overlaySet: { ...overlay, actions: [action] } });
    if (applied.resultData.totalUsedActions !== 1) throw new Error(`nothing was changed at ${action.target}`);
    result = applied.data;
  }
  return result;
}

/** A target with a list of names, `['a','b']`, as one target for each name. */
function singleTargets(target) {
  const list = /\[('[^']+'(?:,'[^']+')+)\]/.exec(target);
  if (list === null) return [target];
  return list[1].split(',').flatMap((name) => singleTargets(target.replace(list[0], `[${name}]`)));
}
