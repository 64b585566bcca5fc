/** Runs tasks one after the other, in the order in which they came. A task that fails does not hold up the next. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  readonly run = <T>(task: () => Promise<T>): Promise<T> => {
    const result = this.#last.then(task);
    this.#last = result.catch(() => {});
    return result;
  };
}
