import packageFile from "../../package.json" with { type: "json" };
import type { Config } from "../config/schema.ts";
import { databaseUrlOf } from "../config/service-urls.ts";
import type { Log } from "../lib/log.ts";
import type { Keep, StoreOptions } from "../store/index.ts";
import type { PayloadOptions } from "../store/payloads/client.ts";
import { journalTold } from "./observe.ts";
import { secretsOf } from "./secrets.ts";
import type { Settings } from "./settings.ts";

/** What the config says of the call log. @throws UserError for a DATABASE_URL that is no address */
export function storeOptions(config: Config, log: Log): StoreOptions {
  return {
    home: config.home,
    durability: config.journal.durability,
    maxJournalBytes: config.journal.maxBytes,
    databaseUrl: databaseUrlOf(config),
    keep: keepOf(config.log),
    version: packageFile.version,
    found: journalTold(log),
  };
}

/** No key that this process knows is ever part of a kept payload. */
export function payloadOptions(settings: Settings): PayloadOptions {
  const { config } = settings;
  const { quota, imageQuota, retention, redact, maxPending, ...rules } = config.payloads;
  return {
    ...rules,
    quotaBytes: quota,
    imageQuotaBytes: imageQuota,
    retentionMs: retention,
    patterns: [...redact],
    secrets: secretsOf(settings),
    maxPendingBytes: maxPending,
  };
}

function keepOf(log: Config["log"]): Keep {
  return {
    callsMs: log.keepCalls,
    minutesMs: log.keepMinutes,
    hoursMs: log.keepHours,
    daysMs: log.keepDays,
    maxBytes: log.maxBytes,
    refusedRows: log.keepRefused,
  };
}
