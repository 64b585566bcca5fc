import type { ClassifierHooks } from '../classify/types.js';

/** The events of inputs go to all who want them, in this order. */
export function inputHooks(...wanted: readonly (Required<ClassifierHooks> | undefined)[]): ClassifierHooks {
  const hooks = wanted.filter((one) => one !== undefined);
  return {
    onInput(input) {
      for (const one of hooks) one.onInput(input);
    },
  };
}
