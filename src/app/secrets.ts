import { existsSync, readFileSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import { urlSecrets } from "../lib/url-secrets.ts";
import { secretFile } from "../store/index.ts";
import type { Settings } from "./settings.ts";

/** Everything that must appear in no log line, no kept payload, no error. */
export function secretsOf({ config, providers, lastingSecrets }: Settings): string[] {
  const { adminKey } = config.auth;
  const keys = providers.flatMap(({ settings }) => [
    ...settings.keys,
    ...urlSecrets(settings.baseUrl),
  ]);
  const all = [adminKey, config.hub.token, ...urlSecrets(config.hub.endpoint), ...keys];
  return [...new Set([...all.filter((secret) => secret !== null), ...lastingSecrets])];
}

/** Those of the services that are in use from the start to the end, whatever a reload reads. */
export function lastingSecretsOf(config: Config): string[] {
  const file = secretFile(config.home);
  const own = existsSync(file) ? [readFileSync(file, "utf8").trim()] : [];
  return [
    ...[config.serverSecret() ?? "", ...own].filter((secret) => secret !== ""),
    ...urlSecrets(config.secret("DATABASE_URL")),
    ...urlSecrets(config.secret("REDIS_URL")),
  ];
}
