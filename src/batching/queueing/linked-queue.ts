/** What an input carries to be linked into one queue at a time. */
export interface Linked<I> {
  previous: I | undefined;
  next: I | undefined;
}

/** A doubly linked list through its inputs: every operation is O(1) and allocates nothing. */
export class LinkedQueue<I extends Linked<I>> {
  #head: I | undefined;
  #tail: I | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get head(): I | undefined {
    return this.#head;
  }

  push(input: I): void {
    input.previous = this.#tail;
    if (this.#tail === undefined) this.#head = input;
    else this.#tail.next = input;
    this.#tail = input;
    this.#size++;
  }

  unshift(input: I): void {
    input.next = this.#head;
    if (this.#head === undefined) this.#tail = input;
    else this.#head.previous = input;
    this.#head = input;
    this.#size++;
  }

  /** Takes out an input of this queue. */
  remove(input: I): void {
    if (input.previous === undefined) this.#head = input.next;
    else input.previous.next = input.next;
    if (input.next === undefined) this.#tail = input.previous;
    else input.next.previous = input.previous;
    input.previous = undefined;
    input.next = undefined;
    this.#size--;
  }

  /** The first `count` inputs, in order. */
  first(count: number): I[] {
    const inputs: I[] = [];
    for (let input = this.#head; input !== undefined && inputs.length < count; input = input.next)
      inputs.push(input);
    return inputs;
  }
}
