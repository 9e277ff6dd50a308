import type { Log } from "../lib/log.ts";
import { inSlices } from "../lib/slices.ts";
import type { ProviderSettings } from "../types.ts";
import { fetchList, ListError } from "./fetch-list.ts";
import { keepCopy, lastCopy } from "./list-copy.ts";
import type { ListedModel } from "./listed.ts";
import { listsOf, type ProviderList, together } from "./provider-lists.ts";

export interface DiscoveryOptions {
  /** Where the last good lists are kept. */
  readonly folder: string;
  readonly log: Log;
  /** Told whenever a list is another one than before. */
  readonly changed: () => void;
  /** Milliseconds one list may take in all. */
  readonly timeoutMs?: number;
  /** Milliseconds after a first failure; they double with each further one, up to ten minutes or the interval. */
  readonly retryMs?: number;
  /** 0 to 1, 1 excluded. */
  readonly random?: () => number;
}

const TIMEOUT_MS = 60_000;
const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 600_000;

/** One of a provider's lists, as far as it is known. */
interface Known {
  readonly settings: ProviderSettings;
  readonly list: ProviderList;
  models: readonly ListedModel[];
  /** Hash of the text that `models` were read from. */
  hash: bigint | number | null;
  /** Why the last try failed; null after one that did not. */
  trouble: string | null;
  failures: number;
  timer: Timer | null;
}

/** Other providers, not in use yet. */
interface Replacement {
  /** The models that one of them is known to list. */
  models(provider: string): readonly ListedModel[];
  /** From now on these are the providers. */
  take(): void;
}

/**
 * Keeps the providers' lists of models, in the background: fetched at start and on an interval, kept
 * on disk, never replaced by a failure.
 */
export class Discovery {
  #known: ReadonlyMap<string, Known>;
  #started = false;
  readonly #options: DiscoveryOptions;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(providers: readonly ProviderSettings[], options: DiscoveryOptions) {
    this.#options = options;
    this.#known = new Map(providers.flatMap(unknownLists).map((known) => [keyOf(known), known]));
  }

  /**
   * What would be known with these as the providers, and taking it over. One that is as it was keeps its
   * list and its interval; another one at the same address keeps the list until its own is there.
   */
  replacement(providers: readonly ProviderSettings[]): Replacement {
    const before = this.#known;
    const fresh: Known[] = [];
    const known = providers.flatMap(unknownLists).map((made): [string, Known] => {
      const key = keyOf(made);
      const old = before.get(key);
      if (old?.settings === made.settings) return [key, old];
      const { settings, list } = made;
      if (old?.settings.baseUrl === settings.baseUrl && old.list.what === list.what)
        made.models = old.models;
      fresh.push(made);
      return [key, made];
    });
    const next = new Map(known);
    return {
      models: (provider) => modelsIn(next, provider),
      take: () => {
        this.#known = next;
        for (const old of before.values())
          if (!this.#isKnown(old)) clearTimeout(old.timer ?? undefined);
        for (const made of fresh) {
          if (this.#started) void this.#begin(made);
        }
      },
    };
  }

  /** The models that a provider lists; empty for one whose list is not fetched. */
  models(provider: string): readonly ListedModel[] {
    return modelsIn(this.#known, provider);
  }

  /** Why a provider's list could not be fetched the last time; null when it could. */
  trouble(provider: string): string | null {
    return this.#known.get(provider)?.trouble ?? null;
  }

  /** Reads the copies on disk. A copy that can't be read is none. */
  async restore(): Promise<void> {
    await Promise.all([...this.#known.values()].map((known) => this.#restore(known)));
  }

  /** Fetches all lists, and from then on each at its interval. Resolves when each was tried once. */
  async start(): Promise<void> {
    this.#started = true;
    await Promise.all([...this.#known.values()].map((known) => this.#round(known)));
  }

  /** Ends whatever runs, and waits for it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const { timer } of this.#known.values()) clearTimeout(timer ?? undefined);
    await Promise.all(this.#running);
  }

  async #begin(known: Known): Promise<void> {
    await this.#restore(known);
    if (known.models.length > 0) this.#options.changed();
    await this.#round(known);
  }

  /** Whether it is one of those that are listed now, rather than one that a reload took away. */
  #isKnown(known: Known): boolean {
    return this.#known.get(keyOf(known)) === known;
  }

  async #restore(known: Known): Promise<void> {
    const { id, baseUrl } = known.settings;
    const { what, read } = known.list;
    if (known.models.length > 0) return;
    try {
      const text = await lastCopy(this.#options.folder, keyOf(known), baseUrl);
      const models = text === null ? null : await inSlices(read(text));
      if (text === null || models === null) return;
      known.models = models;
      known.hash = Bun.hash(text);
    } catch (error) {
      this.#options.log.warn(`the copy of ${id}'s ${what} could not be read`, {
        detail: messageOf(error),
      });
    }
  }

  #round(known: Known): Promise<void> {
    // Without a key nothing is sent.
    const over = this.#stop.signal.aborted || !this.#isKnown(known);
    if (over || known.settings.missingKey !== null) return Promise.resolve();
    const round = this.#refresh(known).finally(() => {
      this.#running.delete(round);
      if (this.#stop.signal.aborted || !this.#isKnown(known)) return;
      known.timer = setTimeout(() => void this.#round(known), this.#pause(known));
      known.timer.unref();
    });
    this.#running.add(round);
    return round;
  }

  /** Milliseconds until the next try: the interval, or less after a failure; a tenth more or less. */
  #pause({ settings, failures }: Known): number {
    const { retryMs = RETRY_MS, random = Math.random } = this.#options;
    const { interval } = settings.file.discovery;
    const retry = Math.min(LONGEST_RETRY_MS, retryMs * 2 ** (failures - 1));
    const base = failures === 0 ? interval : Math.min(interval, retry);
    return Math.round(base * (0.9 + 0.2 * random()));
  }

  /** Never rejects. */
  async #refresh(known: Known): Promise<void> {
    const { settings, list } = known;
    const { timeoutMs = TIMEOUT_MS, log, changed } = this.#options;
    try {
      const text = await fetchList(settings, list, timeoutMs, this.#stop.signal);
      const hash = Bun.hash(text);
      if (hash === known.hash) return this.#works(known);
      const models = await inSlices(list.read(text));
      if (models === null) throw new ListError(`what it answers is no list of ${list.what}`);
      if (this.#stop.signal.aborted || !this.#isKnown(known)) return;
      this.#works(known);
      known.hash = hash;
      if (sameModels(known.models, models)) return;
      known.models = models;
      log.info(`${settings.id} lists ${models.length} ${list.what}`);
      changed();
      await this.#keep(known, text);
    } catch (error) {
      if (!this.#stop.signal.aborted && this.#isKnown(known)) this.#fails(known, messageOf(error));
    }
  }

  async #keep({ settings, list }: Known, text: string): Promise<void> {
    const { folder, log } = this.#options;
    const { id, baseUrl, keys } = settings;
    try {
      await keepCopy(folder, list.key(id), baseUrl, text, keys);
    } catch (error) {
      log.warn(`${id}'s ${list.what} could not be kept on disk`, { detail: messageOf(error) });
    }
  }

  #works(known: Known): void {
    if (known.trouble !== null)
      this.#options.log.info(
        `${known.settings.id}'s list of ${known.list.what} can be fetched again`,
      );
    known.trouble = null;
    known.failures = 0;
  }

  /** Told once, and again only when the reason is another one. */
  #fails(known: Known, detail: string): void {
    known.failures++;
    if (known.trouble === detail) return;
    known.trouble = detail;
    this.#options.log.warn(
      `${known.settings.id}'s list of ${known.list.what} could not be fetched`,
      {
        detail,
      },
    );
  }
}

function unknownLists(settings: ProviderSettings): Known[] {
  const nothing = { models: [], hash: null, trouble: null, failures: 0, timer: null };
  return listsOf(settings.file).map((list) => ({ settings, list, ...nothing }));
}

function keyOf({ settings, list }: Known): string {
  return list.key(settings.id);
}

/** All that a provider lists. */
function modelsIn(all: ReadonlyMap<string, Known>, provider: string): readonly ListedModel[] {
  const first = all.get(provider);
  if (first === undefined) return [];
  const lists = listsOf(first.settings.file);
  return together(lists.map(({ key }) => all.get(key(provider))?.models ?? []));
}

/** More are not compared one by one: that would take longer than taking them over. */
const MOST_COMPARED = 1_000;

/** Some servers give the time of the request as the time a model was created: that is no difference. */
function sameModels(before: readonly ListedModel[], after: readonly ListedModel[]): boolean {
  if (before.length !== after.length || after.length > MOST_COMPARED) return false;
  return after.every((model, at) => {
    const old = before[at];
    return old !== undefined && Bun.deepEquals({ ...model, created: old.created }, old);
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
