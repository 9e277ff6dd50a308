import type { Availability } from "../catalog/availability.ts";
import type { LiveModels } from "../catalog/live-models.ts";
import { faultWarnings, providerWarnings } from "../catalog/settle-providers.ts";
import type { Reread } from "../config/reread.ts";
import type { ReloadReport } from "../contract/admin.ts";
import { GatewayError } from "../contract/errors.ts";
import type { LocalBackend } from "../engines/index.ts";
import type { Health } from "../gateway/routing/health.ts";
import type { Log } from "../lib/log.ts";
import { UserError } from "../lib/user-error.ts";
import { logReplaced, type ResolveName, readSettings, type Settings } from "./settings.ts";
import type { Changes, Upstreams } from "./upstreams.ts";

/** What is told of other settings while it works. */
export interface Reloadable {
  readonly models: LiveModels;
  readonly availability: Availability;
  readonly local: LocalBackend;
  readonly upstreams: Upstreams;
  readonly health: Health;
  readonly log: Log;
  /** The settings in use. */
  current(): Settings;
  readonly resolveName: ResolveName;
  /** What is to be told of the keys, now that other settings are in use. */
  keyWarnings(): readonly string[];
  /** Puts others in their place, all at once. */
  swap(next: Settings): void;
}

/** What a reload came to. */
export interface Reloaded {
  readonly providers: Changes;
  /** Embedded models. */
  readonly models: Changes;
  readonly needRestart: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Reads config and files again and applies what can be applied, one reload after the other. Calls that run
 * end as they began; whatever is wrong is found before anything is changed.
 */
export class Reloader {
  readonly #parts: Reloadable;
  readonly #reread: () => Reread;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: Reloadable, reread: () => Reread) {
    this.#parts = parts;
    this.#reread = reread;
  }

  /**
   * Rejects when nothing was changed: with a `UserError`, one line a problem, or with a `GatewayError`
   * where the fault is our own code's.
   */
  reload(): Promise<Reloaded> {
    const done = this.#last.then(() => this.#run());
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #run(): Promise<Reloaded> {
    const { log, current } = this.#parts;
    const before = current();
    let needs: readonly string[];
    let next: Settings;
    try {
      const { config, needRestart } = this.#reread();
      needs = needRestart;
      next = readSettings(config, this.#parts.resolveName, before);
    } catch (error) {
      if (error instanceof UserError) {
        log.error("the config was not reloaded, and nothing was changed", {
          detail: error.message,
        });
      }
      throw error;
    }
    let providers: Changes;
    try {
      providers = await this.#apply(before, next);
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error("the config could not be applied, and all is as it was before", { detail });
      throw new GatewayError("internal", "The config could not be applied. Nothing was changed.", {
        cause: error,
      });
    }
    const models = changesOf(before, next);
    const warnings = [
      ...next.config.warnings,
      ...faultWarnings(next.faults),
      ...providerWarnings(next.providers),
      ...this.#parts.keyWarnings(),
    ];
    for (const warning of warnings) log.warn(warning);
    logReplaced(next.replaced, log);
    log.info("the config was reloaded", {
      providers: said(providers),
      models: said(models),
      need_restart: needs.join(" ") || null,
    });
    return { providers, models, needRestart: needs, warnings };
  }

  /**
   * First what may fail, beside what is in use: backends and weights of both settings are there until the
   * models are put together. Then all the rest at once. What was begun is undone when it fails.
   */
  async #apply(before: Settings, next: Settings): Promise<Changes> {
    const { models, availability, local, upstreams, health, swap } = this.#parts;
    const all = next.catalog.models;
    const old = before.catalog.models;
    const names = new Set(old.map(({ id }) => id));
    const { undo, ...changes } = upstreams.use(next.providers);
    try {
      // Until the index is the new one, calls may still be sent to those that go or change.
      local.offer([...old, ...all.filter(({ id }) => !names.has(id))]);
      await availability.replace(all);
      await models.replace({ own: all, providers: next.providers, aliases: next.aliases });
    } catch (error) {
      undo();
      local.offer(old);
      await availability.replace(old);
      throw error;
    }
    for (const id of [...changes.changed, ...changes.removed]) health.forget(id);
    swap(next);
    local.offer(all);
    return changes;
  }
}

function changesOf(before: Settings, next: Settings): Changes {
  const old = new Map(before.catalog.models.map((model) => [model.id, model]));
  const now = new Map(next.catalog.models.map((model) => [model.id, model]));
  return {
    added: [...now.keys()].filter((id) => !old.has(id)),
    changed: [...now].flatMap(([id, model]) => (old.has(id) && old.get(id) !== model ? [id] : [])),
    removed: [...old.keys()].filter((id) => !now.has(id)),
  };
}

/** `+a ~b -c`; null where nothing changed. */
function said({ added, changed, removed }: Changes): string | null {
  const all = [
    ...added.map((id) => `+${id}`),
    ...changed.map((id) => `~${id}`),
    ...removed.map((id) => `-${id}`),
  ];
  return all.length === 0 ? null : all.join(" ");
}

/** A reload, as the admin API tells it. */
export function reportOf({ providers, models, needRestart, warnings }: Reloaded): ReloadReport {
  const plain = ({ added, changed, removed }: Changes) => ({
    added: [...added],
    changed: [...changed],
    removed: [...removed],
  });
  return {
    status: "applied",
    providers: plain(providers),
    models: plain(models),
    need_restart: [...needRestart],
    warnings: [...warnings],
  };
}
