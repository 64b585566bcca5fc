/** A value that may still be on its way. What is at hand comes without a promise, and without a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;
