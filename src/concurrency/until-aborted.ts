/** Resolves when the promise has settled or the signal is aborted, whichever comes first. Never rejects. */
export function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      signal.removeEventListener('abort', finish);
      resolve();
    };
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener('abort', finish);
    promise.then(finish, finish);
  });
}
