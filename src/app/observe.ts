import type { KeyRest } from "../dialects/index.ts";
import { Measure } from "../gateway/measure.ts";
import { allOf, type Observer } from "../gateway/observer.ts";
import type { Turn } from "../gateway/routing/health.ts";
import { Teller } from "../gateway/tell.ts";
import type { Log, LogSettings } from "../lib/log.ts";
import { Metrics } from "../lib/metrics.ts";
import type { Found } from "../store/projection/client.ts";
import { type Gauged, gauges, watchLoop } from "./gauges.ts";
import { secretsOf } from "./secrets.ts";
import type { Settings } from "./settings.ts";
import { shareTold } from "./share-told.ts";

/** What watches a running Covey: its metrics, and the log's lines on calls, breakers, keys and the database. */
export interface Observation {
  readonly metrics: Metrics;
  readonly observer: Observer;
  readonly turned: (targetId: string, turn: Turn) => void;
  readonly rested: (rest: KeyRest) => void;
  /** Reads states from now on. Returns how to stop. */
  watch(parts: Gauged): () => void;
}

/** @param modelId the id of the model that a name is for, where there is one */
export function observation(
  log: Log,
  settings: () => Settings,
  modelId: (name: string) => string | undefined,
): Observation {
  const metrics = new Metrics();
  const teller = new Teller(log, () => settings().config.logging.calls);
  return {
    metrics,
    observer: allOf([new Measure(metrics, modelId), teller]),
    turned: (target, turn) => {
      switch (turn.state) {
        case "closed":
          log.info("a target answers again", { target });
          break;
        case "rests":
          log.warn("a target asked to be left alone", { target, s: seconds(turn.forMs) });
          break;
        case "open":
          log.warn("a target failed several times in a row and is left alone", {
            target,
            failures: turn.failures,
            s: seconds(turn.forMs),
          });
      }
    },
    rested: ({ provider, key, keys, model, why, forMs }) =>
      log.warn("a provider refused a key, which rests", {
        provider,
        key: `${key} of ${keys}`,
        model,
        why,
        s: seconds(forMs),
      }),
    watch: (parts) => {
      gauges(metrics, parts);
      const database = databaseTold(log);
      const share = shareTold(log);
      return watchLoop(metrics, (now) => {
        teller.tick(now);
        database(parts.store.health().detail);
        share(parts.gateway.limiter.state());
      });
    },
  };
}

/** Says once that the journal or the database is in trouble, and once that it no longer is. */
function databaseTold(log: Log): (detail: string | null) => void {
  let inTrouble = false;
  return (detail) => {
    if (inTrouble === (detail !== null)) return;
    inTrouble = detail !== null;
    if (detail === null) log.info("the call log is written again");
    else log.error("the call log is in trouble", { detail });
  };
}

/** Says what a start has found in the journal that is nothing wrong. */
export function journalTold(log: Pick<Log, "info" | "warn">): (found: Found) => void {
  return (found) => {
    if (found.kind === "torn")
      log.info("an unfinished record at the journal's end was left out, as after a kill", {
        bytes: found.bytes,
      });
    else
      log.warn(
        "the database's place in the journal was another journal's, so this one is read from its start: was gateway-id copied?",
      );
  };
}

/** How the log is to be written. `pretty`: somebody at a terminal reads it. */
export function logSettings(settings: Settings, pretty: boolean): LogSettings {
  const { format, level } = settings.config.logging;
  return {
    format: format === "auto" ? (pretty ? "text" : "json") : format,
    level,
    secrets: secretsOf(settings),
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
