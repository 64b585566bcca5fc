import { after } from 'node:test';

/**
 * Cleans up at the end of a suite what its `before` began, the last first. Call it in the body of the suite: an `after` that is called
 * in a hook runs as soon as that hook is over.
 */
export function suiteCleanup(): { after(step: () => unknown): void } {
  const steps: (() => unknown)[] = [];
  after(async () => {
    for (const step of steps.reverse()) await step();
  });
  return { after: (step) => void steps.push(step) };
}
