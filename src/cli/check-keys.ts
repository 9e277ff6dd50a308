import { existsSync } from "node:fs";
import { join } from "node:path";
import { refuseKeyless } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { databaseUrlOf } from "../config/service-urls.ts";
import { keysOfLostPlans, lostPlansNamed } from "../gateway/limits/lost-plans.ts";
import { UserError } from "../lib/user-error.ts";
import { serverSecret, standingKeys } from "../store/index.ts";
import type { Key } from "../types.ts";
import { type Finding, finding } from "./finding.ts";

/** Whether anybody can get in, who can, and whose plan is not there. Makes neither a secret nor a database. */
export async function keyFindings(config: Config): Promise<Finding[]> {
  const now = Date.now();
  let keys: readonly Key[] = [];
  const found = await finding("keys", async () => {
    const { home } = config;
    const url = databaseUrlOf(config);
    const given = config.serverSecret();
    if (given !== undefined || url !== null || existsSync(join(home, "secret"))) {
      serverSecret(home, given, url !== null);
    }
    keys = await standingKeys(home, url, now);
    return whoCan(config, keys.length);
  });
  const lost = lostPlansNamed(keysOfLostPlans(new Set(Object.keys(config.plans)), keys, now));
  return lost === null ? [found] : [found, { mark: "✗", text: `keys: ${lost}` }];
}

/** @throws UserError where nobody can */
function whoCan(config: Config, made: number): string {
  const { auth } = config;
  refuseKeyless(config, made > 0);
  if (made === 0 && auth.adminKey === null) {
    if (auth.allowAnonymous) return "none; calls without a key are anonymous";
    throw new UserError(
      `there is none, and anonymous calls are off: covey keys create makes one, ${auth.adminKeyEnv} sets one`,
    );
  }
  const admin = auth.adminKey === null ? "" : `, and the admin key in ${auth.adminKeyEnv}`;
  return `${made} that open${admin}`;
}
