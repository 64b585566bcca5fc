/** Initial slots; at most half of them are used. */
const FIRST_SLOTS = 1 << 12;

/**
 * A trie over UTF-16 units, for vocabularies of hundreds of thousands of pieces: all edges are in one open-addressing
 * hash table of typed arrays, 10 bytes each, and adding a piece costs as much as its letters.
 */
export class PieceTrie {
  readonly root = 0;
  #mask = FIRST_SLOTS - 1;
  /** Parent, 0 in an unused slot (parents are counted from 1); unit; child. */
  #parents = new Int32Array(FIRST_SLOTS);
  #units = new Uint16Array(FIRST_SLOTS);
  #children = new Int32Array(FIRST_SLOTS);
  /** For each node the id of the piece that ends there, or -1. */
  #ids = new Int32Array(FIRST_SLOTS).fill(-1);
  #nodes = 1;

  /** @param piece not empty; if it is added twice, the last id counts */
  set(piece: string, id: number): void {
    let node = this.root;
    for (let index = 0; index < piece.length; index++) {
      const unit = piece.charCodeAt(index);
      const known = this.child(node, unit);
      node = known < 0 ? this.#add(node, unit) : known;
    }
    this.#ids[node] = id;
  }

  /** The node at the end of the edge `unit`, or -1. */
  child(node: number, unit: number): number {
    const slot = this.#slotOf(node + 1, unit);
    return this.#parents[slot] === 0 ? -1 : (this.#children[slot] ?? -1);
  }

  /** The id of the piece that ends at a node, or -1. */
  idAt(node: number): number {
    return this.#ids[node] ?? -1;
  }

  #slotOf(parent: number, unit: number): number {
    let slot = (Math.imul(parent, 0x9e37_79b1) ^ Math.imul(unit, 0x85eb_ca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    while (this.#parents[slot] !== 0 && (this.#parents[slot] !== parent || this.#units[slot] !== unit)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #add(node: number, unit: number): number {
    if (2 * this.#nodes > this.#mask) this.#grow();
    const slot = this.#slotOf(node + 1, unit);
    this.#parents[slot] = node + 1;
    this.#units[slot] = unit;
    this.#children[slot] = this.#nodes;
    return this.#nodes++;
  }

  #grow(): void {
    const [parents, units, children, ids] = [this.#parents, this.#units, this.#children, this.#ids];
    const slots = 2 * parents.length;
    this.#mask = slots - 1;
    this.#parents = new Int32Array(slots);
    this.#units = new Uint16Array(slots);
    this.#children = new Int32Array(slots);
    this.#ids = new Int32Array(slots).fill(-1);
    this.#ids.set(ids);
    parents.forEach((parent, old) => {
      if (parent === 0) return;
      const slot = this.#slotOf(parent, units[old] ?? 0);
      this.#parents[slot] = parent;
      this.#units[slot] = units[old] ?? 0;
      this.#children[slot] = children[old] ?? 0;
    });
  }
}
