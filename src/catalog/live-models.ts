import type { Log } from "../lib/log.ts";
import type { Backend, Model, ProviderSettings, Target } from "../types.ts";
import type { Aliases } from "./aliases.ts";
import { Discovery } from "./discover.ts";
import { discoveredFolder } from "./list-copy.ts";
import type { LocalFacts } from "./merge.ts";
import { CurrentModels } from "./model-index.ts";
import type { SettledProvider } from "./settle-providers.ts";

/** What the models are made of, besides the providers' lists. */
export interface ModelSources {
  readonly own: readonly Model[];
  readonly providers: readonly SettledProvider[];
  readonly aliases: Aliases;
}

export interface LiveModelsInput extends ModelSources {
  /** What holds of each embedded model as a target. */
  readonly localFacts: (model: Model) => LocalFacts;
  readonly home: string;
  readonly log: Log;
  /** Run for each model before it is offered, in slices. */
  readonly prepare: (model: Model, targets: readonly Target[]) => void;
}

/** How a provider's list stands. */
export interface ListState {
  readonly provider: string;
  /** How many models it lists; null where its list is not fetched. */
  readonly models: number | null;
  /** Why the list could not be fetched the last time; null when it could. */
  readonly trouble: string | null;
  /** The variable that should hold its key and is not set; nothing is asked of it then. */
  readonly missingKey: string | null;
}

/** All models there are, kept up to date with what providers list. */
export interface LiveModels {
  readonly index: CurrentModels;
  lists(): ListState[];
  /** Offers the lists kept on disk. Nothing is asked of anyone. */
  restore(): Promise<void>;
  /** Puts all together anew: what holds of embedded models may be another thing now. Never rejects. */
  rebuild(): Promise<void>;
  /** Fetches lists from now on. Resolves when each was tried once, and what they say is offered. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * Makes the models of these from now on; what is the same object as before keeps what is known of it.
   * Resolves when they are offered; lists that are new come later. When they can't be put together it
   * rejects, and those of before are offered as if nothing had been asked for.
   */
  replace(sources: ModelSources): Promise<void>;
  /** The backend, without the models its provider bars, and with what is wrong with its list. */
  offered(backend: Backend): Backend;
}

export function liveModels(input: LiveModelsInput): LiveModels {
  const { localFacts, home, log, prepare } = input;
  const discovery = new Discovery(listed(input), {
    folder: discoveredFolder(home),
    log,
    changed: () => void rebuilt(),
  });
  const known = (provider: string) => discovery.models(provider);
  let sources: ModelSources = input;
  let listedBy = known;
  const index = new CurrentModels(
    () => ({
      own: sources.own,
      localFacts,
      aliases: sources.aliases,
      providers: sources.providers.map((provider) => ({
        provider,
        listed: listedBy(provider.settings.id),
      })),
    }),
    prepare,
  );
  // What one list says must not be the end of all: what was offered before stays.
  const rebuilt = (): Promise<void> =>
    index.rebuild().catch((error: unknown) => {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error("the providers' lists of models could not be put together", { detail });
    });
  for (const conflict of index.conflicts()) log.warn(`models: ${conflict}`);
  return {
    index,
    lists: () =>
      sources.providers.map(({ settings: { id, missingKey }, discover }) => ({
        provider: id,
        models: discover ? discovery.models(id).length : null,
        trouble: discovery.trouble(id),
        missingKey,
      })),
    restore: async () => {
      await discovery.restore();
      await rebuilt();
    },
    rebuild: rebuilt,
    start: async () => {
      await discovery.start();
      await index.settled().catch(() => undefined);
    },
    stop: async () => {
      await discovery.stop();
      await index.settled().catch(() => undefined);
    },
    replace: async (next) => {
      const before = sources;
      const replacement = discovery.replacement(listed(next));
      sources = next;
      listedBy = replacement.models;
      try {
        await index.rebuild();
      } catch (error) {
        sources = before;
        listedBy = known;
        await rebuilt();
        throw error;
      }
      replacement.take();
      listedBy = known;
      for (const conflict of index.conflicts()) log.warn(`models: ${conflict}`);
    },
    offered: (backend) => ({
      ...backend,
      state: (target) => {
        if (target.barred !== null) return { state: "unavailable", detail: BARRED[target.barred] };
        const state = backend.state(target);
        const trouble = discovery.trouble(target.provider);
        return trouble === null || state.detail !== null
          ? state
          : { ...state, detail: `its list of models could not be fetched: ${trouble}` };
      },
    }),
  };
}

/** Those whose lists are fetched. */
function listed({ providers }: ModelSources): ProviderSettings[] {
  return providers.filter(({ discover }) => discover).map(({ settings }) => settings);
}

const BARRED = {
  gated: "its provider asks for permission to use it (its weights are gated)",
  plan: "it is not available on the current plan",
} as const;
