import type { SettledProvider } from "../catalog/settle-providers.ts";
import type { Backend } from "../types.ts";

/** What a change of the providers came to, by their ids. */
export interface Changes {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/**
 * The backends of the providers, and the embedded engines'. A provider that is as it was keeps its backend,
 * and so its keys' rests; one that is gone stays for the calls that have chosen it, until the next change.
 */
export class Upstreams {
  readonly #local: Backend;
  readonly #make: (provider: SettledProvider) => Backend;
  #providers: ReadonlyMap<string, SettledProvider> = new Map();
  #all: ReadonlyMap<string, Backend>;

  constructor(local: Backend, make: (provider: SettledProvider) => Backend) {
    this.#local = local;
    this.#make = make;
    this.#all = new Map([[local.id, local]]);
  }

  get all(): ReadonlyMap<string, Backend> {
    return this.#all;
  }

  /**
   * From now on these are the providers. Tells apart what is new by whether it is the same object.
   * `undo` brings back those of before, each with its own backend.
   */
  use(providers: readonly SettledProvider[]): Changes & { undo(): void } {
    const before = this.#providers;
    const backends = this.#all;
    const now = new Map(providers.map((provider) => [provider.settings.id, provider]));
    const all = new Map([[this.#local.id, this.#local]]);
    const changes = { added: [] as string[], changed: [] as string[], removed: [] as string[] };
    for (const [id, provider] of now) {
      const old = before.get(id);
      const kept = old === provider ? this.#all.get(id) : undefined;
      if (kept === undefined) changes[old === undefined ? "added" : "changed"].push(id);
      all.set(id, kept ?? this.#make(provider));
    }
    for (const id of before.keys()) {
      const backend = this.#all.get(id);
      if (now.has(id) || backend === undefined) continue;
      changes.removed.push(id);
      all.set(id, backend);
    }
    this.#providers = now;
    this.#all = all;
    const undo = () => {
      this.#providers = before;
      this.#all = backends;
    };
    return { ...changes, undo };
  }
}
