import { createSecretKey } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashOfKey, newKey, random256 } from '../../src/auth/key-format.js';

/** What an entry says besides id and hash, as YAML has it. */
export interface EntryFields {
  readonly scopes?: readonly string[];
  readonly models?: readonly string[];
  readonly expires?: string;
  readonly limits?: Readonly<Record<string, number>>;
  readonly cache?: 'shared' | 'own' | 'off';
  readonly weight?: number;
}

/** A key file that a test changes. */
export class TestKeyFile {
  readonly path: string;
  readonly secret = random256();
  readonly #entries = new Map<string, string>();
  #writes = 0;

  constructor(folder: string) {
    this.path = join(folder, 'keys.yaml');
  }

  /** Adds a key, or replaces the one of that id. The file changes with `write`. */
  add(id: string, fields: EntryFields = {}): string {
    const key = newKey(id);
    this.set(id, key, fields);
    return key;
  }

  /** Gives the key of an id other fields. */
  set(
    id: string,
    key: string,
    { scopes = ['classify'], models, limits, cache, weight, expires }: EntryFields,
  ): void {
    const hash = hashOfKey(key, createSecretKey(this.secret, 'base64url')).toString('base64url');
    // YAML takes JSON.
    this.#entries.set(id, JSON.stringify({ id, hash, scopes, models, limits, cache, weight, expires }));
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  get text(): string {
    const keys = [...this.#entries.values()].map((entry) => `\n  - ${entry}`).join('');
    return `secret: ${this.secret}\nkeys:${keys === '' ? ' []' : keys}\n`;
  }

  /** Replaces the file in one step. */
  write(text = this.text): void {
    const next = `${this.path}.${this.#writes++}`;
    writeFileSync(next, text);
    renameSync(next, this.path);
  }
}
