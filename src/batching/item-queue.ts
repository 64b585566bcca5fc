/** What an item carries to be linked into one queue at a time. */
export interface Linked<I> {
  previous: I | undefined;
  next: I | undefined;
}

/** A doubly linked list through its items: every operation is O(1) and allocates nothing. */
export class ItemQueue<I extends Linked<I>> {
  #head: I | undefined;
  #tail: I | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get head(): I | undefined {
    return this.#head;
  }

  push(item: I): void {
    item.previous = this.#tail;
    if (this.#tail === undefined) this.#head = item;
    else this.#tail.next = item;
    this.#tail = item;
    this.#size++;
  }

  unshift(item: I): void {
    item.next = this.#head;
    if (this.#head === undefined) this.#tail = item;
    else this.#head.previous = item;
    this.#head = item;
    this.#size++;
  }

  /** Takes out an item of this queue. */
  remove(item: I): void {
    if (item.previous === undefined) this.#head = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) this.#tail = item.previous;
    else item.next.previous = item.previous;
    item.previous = undefined;
    item.next = undefined;
    this.#size--;
  }

  /** The first `count` items, in order. */
  first(count: number): I[] {
    const items: I[] = [];
    for (let item = this.#head; item !== undefined && items.length < count; item = item.next)
      items.push(item);
    return items;
  }
}
