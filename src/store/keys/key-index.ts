import { randomBytes, timingSafeEqual } from "node:crypto";
import { keyPrefix } from "../../lib/key-text.ts";
import type { Key } from "../../types.ts";
import type { StoredKey } from "./key-row.ts";
import type { ServerSecret } from "./secret.ts";

interface Entry {
  readonly hash: Buffer;
  readonly key: Key;
}

/** What an unknown prefix is compared with, so that it takes as long as a known one. */
const NOBODY: Entry = {
  hash: randomBytes(32),
  key: {
    id: "",
    prefix: "",
    name: "",
    owner: "",
    role: "key",
    plan: null,
    models: [],
    endpoints: [],
    budget: null,
    tags: [],
    payloads: null,
    createdAt: 0,
    expiresAt: 0,
    disabledAt: 0,
    revokedAt: 0,
  },
};

/** All keys, in memory, by the prefix of each text that opens one. */
export class KeyIndex {
  readonly #secret: ServerSecret;
  readonly #byPrefix = new Map<string, Entry>();
  readonly #byId = new Map<string, StoredKey>();
  /** Once there was a key, there is never none again: a wrong one must not become an anonymous call. */
  #seen = false;
  #onChange: () => void = () => undefined;
  #foreign = 0;

  constructor(secret: ServerSecret) {
    this.#secret = secret;
  }

  /** Whether any key was ever made, as far as is known. */
  get exist(): boolean {
    return this.#seen;
  }

  /** How many keys were hashed with another secret, and so open nothing here. */
  get foreign(): number {
    return this.#foreign;
  }

  /** Every key there is, whether or not it opens. */
  *all(): Generator<Key> {
    for (const { key } of this.#byId.values()) yield key;
  }

  /** What a key is called, by its id; null for one that is not known. */
  nameOf(id: string): string | null {
    return this.#byId.get(id)?.key.name ?? null;
  }

  /** Called after keys have changed. */
  set onChange(listener: () => void) {
    this.#onChange = listener;
  }

  /**
   * The key that this text opens, whether or not it still may; null for none. The same work for any
   * text: one look-up, one hash of what was sent, one comparison in constant time.
   */
  find(presented: string): Key | null {
    const entry = this.#byPrefix.get(keyPrefix(presented) ?? "") ?? NOBODY;
    const same = timingSafeEqual(this.#secret.hash(presented), entry.hash);
    return same && entry !== NOBODY ? entry.key : null;
  }

  /** What is known now of the key that a call came with; null where its text is forgotten. */
  current({ id, prefix }: Key): Key | null {
    const key = this.#byPrefix.get(prefix)?.key;
    return key?.id === id ? key : null;
  }

  /** Takes changed keys in. A key that is known in a newer version stays as it is. */
  apply(keys: readonly StoredKey[]): void {
    if (keys.length === 0) return;
    for (const stored of keys) this.#take(stored);
    this.#onChange();
  }

  /** These are all keys there are. */
  replace(keys: readonly StoredKey[]): void {
    this.#byPrefix.clear();
    this.#byId.clear();
    this.#foreign = 0;
    for (const stored of keys) this.#take(stored);
    this.#onChange();
  }

  #take(stored: StoredKey): void {
    const { key, hash, previous } = stored;
    const known = this.#byId.get(key.id);
    if (known !== undefined && known.version >= stored.version) return;
    if (known !== undefined) this.#forget(known);
    this.#seen = true;
    this.#byId.set(key.id, stored);
    if (stored.secretMark !== this.#secret.mark) this.#foreign += 1;
    this.#byPrefix.set(key.prefix, { key, hash });
    if (previous === null) return;
    const expiresAt = Math.min(previous.until, key.expiresAt ?? previous.until);
    const old = { ...key, prefix: previous.prefix, expiresAt };
    this.#byPrefix.set(previous.prefix, { key: old, hash: previous.hash });
  }

  #forget({ key, previous, secretMark }: StoredKey): void {
    if (secretMark !== this.#secret.mark) this.#foreign -= 1;
    this.#byPrefix.delete(key.prefix);
    if (previous !== null) this.#byPrefix.delete(previous.prefix);
  }
}
