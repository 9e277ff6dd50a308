import type { Key, KeyStore } from "../../types.ts";
import { KeyFollower } from "./follow-keys.ts";
import { KeyIndex } from "./key-index.ts";
import { keyStore, type Run } from "./key-store.ts";
import type { ServerSecret } from "./secret.ts";
import { tellSecret } from "./secret-mark.ts";

export interface KeysOptions {
  readonly read: Run;
  readonly write: Run;
  readonly secret: ServerSecret;
  /** Milliseconds of a silent database after which the gateway is not ready. */
  readonly staleAfterMs: number;
  /** Whether no key is taken any more from then on. */
  readonly refuseStale: boolean;
  /** Called after keys have changed, here or elsewhere. */
  readonly onChange: () => void;
}

/** How the keys stand, for `/health/ready`. */
export interface KeysHealth {
  readonly ok: boolean;
  readonly detail: string | null;
}

/** The keys of a running gateway: in memory to be looked up, in the database to be changed. */
export interface GatewayKeys {
  /** How many keys were made with another server secret, and open nothing. */
  readonly foreign: number;
  readonly standing: "unknown" | "stale" | "none" | "some";
  find(presented: string): Key | null;
  current(key: Key): Key | null;
  /** Every key that is known, whether or not it opens. */
  all(): Iterable<Key>;
  nameOf(id: string): string | null;
  /** What it changes holds here at once, and in other processes half a second later. */
  readonly store: KeyStore;
  /** Resolves when the database was read for the first time. Never rejects. */
  readonly loaded: Promise<void>;
  health(): KeysHealth;
  stop(): void;
}

/** Begins to follow the database's keys. */
export function openKeys(options: KeysOptions): GatewayKeys {
  const { read, write, secret, staleAfterMs, refuseStale, onChange } = options;
  const index = new KeyIndex(secret);
  index.onChange = onChange;
  const follower = new KeyFollower(index, read);
  const loaded = follower.start();
  // Only a help to the command line: the next start tells again.
  loaded.then(() => tellSecret(write, secret)).catch(() => undefined);
  const isStale = () => follower.ageMs(performance.now()) > staleAfterMs;
  return {
    get foreign() {
      return index.foreign;
    },
    get standing() {
      if (!follower.known) return "unknown";
      if (refuseStale && isStale()) return "stale";
      return index.exist ? "some" : "none";
    },
    find: (presented) => index.find(presented),
    current: (key) => index.current(key),
    all: () => index.all(),
    nameOf: (id) => index.nameOf(id),
    store: keyStore({ read, write, secret, onChange: (keys) => index.apply(keys) }),
    loaded,
    health: () => ({
      ok: follower.known ? !isStale() : follower.trouble(performance.now()) === null,
      detail: follower.trouble(performance.now()),
    }),
    stop: () => follower.stop(),
  };
}
