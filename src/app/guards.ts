import { existsSync, rmSync } from "node:fs";
import { refuseKeyless } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Log } from "../lib/log.ts";
import { UserError } from "../lib/user-error.ts";
import { type GatewayKeys, secretFile } from "../store/index.ts";

/** What must be so before anybody is let in: the secret that made the keys, and a way in at all. */

/** Whether the home folder's secret is about to be made. */
export function lacksSecret(config: Config): boolean {
  return config.serverSecret() === undefined && !existsSync(secretFile(config.home));
}

/** Keys that another secret made open nothing: a lost secret must not be replaced in silence. @throws UserError */
export function guardSecret(
  config: Config,
  { foreign }: GatewayKeys,
  isNew: boolean,
  log: Log,
): void {
  if (foreign === 0) return;
  if (isNew) {
    rmSync(secretFile(config.home), { force: true });
    throw new UserError(
      `${foreign === 1 ? "1 key was" : `${foreign} keys were`} made with a server secret that is not here: put ${secretFile(config.home)} back, or set COVEY_SECRET to what was in it`,
    );
  }
  log.error("keys were made with another server secret and open nothing", { keys: foreign });
}

/** Whether anybody may get in: refused, or told, where nobody can. @throws UserError */
export function guard(config: Config, { standing }: GatewayKeys, log: Log): void {
  refuseKeyless(config, standing !== "none");
  const { adminKey, allowAnonymous, adminKeyEnv } = config.auth;
  if (standing === "unknown")
    log.warn("the keys' database does not answer: keys are not known yet");
  if (standing === "none" && adminKey === null && !allowAnonymous) {
    log.warn(
      `nobody can get in: anonymous calls are off, ${adminKeyEnv} is not set and there is no key; covey keys create makes one`,
    );
  }
}
