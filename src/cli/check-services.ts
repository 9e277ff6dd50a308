import type { Config } from "../config/schema.ts";
import { databaseUrlOf, redisUrlOf } from "../config/service-urls.ts";
import { withoutUrl } from "../lib/url-secrets.ts";
import { UserError } from "../lib/user-error.ts";
import { inspectDatabase } from "../store/index.ts";
import { type Finding, finding, messageOf } from "./finding.ts";
import { type RedisFacts, redisFacts } from "./redis-facts.ts";

/** The services that the environment names: that they answer, their versions, and what is wrong with them. */
export async function serviceFindings(config: Config): Promise<Finding[]> {
  const [database, redis] = await Promise.all([tryDatabase(config), tryRedis(config)]);
  return [...database, ...redis];
}

async function tryDatabase(config: Config): Promise<Finding[]> {
  if (config.secret("DATABASE_URL") === null) return [];
  const told = await finding("DATABASE_URL", async () => {
    const url = databaseUrlOf(config) ?? "";
    const found = await inspectDatabase(url).catch((error: unknown) => {
      throw unreachable(url, "the database", error);
    });
    if (found.isReplica)
      throw new UserError(
        `PostgreSQL ${found.version} at ${placeOf(url)} is a replica, which takes no writes: name the primary`,
      );
    if (!found.mayCreate)
      throw new UserError(
        `PostgreSQL ${found.version} at ${placeOf(url)}: its user may not create tables in the schema "${found.schema}": GRANT CREATE ON SCHEMA ${found.schema} TO that user`,
      );
    return `PostgreSQL ${found.version} at ${placeOf(url)}${found.isEmpty ? ", without tables yet" : ""}`;
  });
  return [told];
}

async function tryRedis(config: Config): Promise<Finding[]> {
  if (config.secret("REDIS_URL") === null) return [];
  let policy: Finding | null = null;
  const told = await finding("REDIS_URL", async () => {
    const url = redisUrlOf(config) ?? "";
    const facts = await redisFacts(url).catch((error: unknown) => {
      throw unreachable(url, "Redis", error);
    });
    policy = policyFinding(facts);
    const version = `Redis ${facts.redis_version ?? "of an unknown version"} at ${placeOf(url)}`;
    if (facts.redis_mode === "cluster")
      throw new UserError(`${version} is a cluster: limits need one Redis`);
    if (facts.role === "slave")
      throw new UserError(`${version} is a replica, which takes no writes: name the primary`);
    return version;
  });
  return policy === null ? [told] : [told, policy];
}

/** Pure. A Redis that evicts forgets what was granted; null where nothing is. */
export function policyFinding({
  maxmemory_policy: policy = "noeviction",
  maxmemory,
}: RedisFacts): Finding | null {
  if (policy === "noeviction") return null;
  const text = `REDIS_URL: its maxmemory-policy is ${policy}: a full Redis would forget what was granted, and limits be passed; set it to noeviction`;
  // Without a bound on its memory nothing is evicted, as long as nobody sets one.
  return { mark: maxmemory === "0" ? "–" : "✗", text };
}

/** Where it is, without who asks. */
function placeOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "the address" : `${parsed.host}${parsed.pathname}`;
}

function unreachable(url: string, name: string, error: unknown): UserError {
  const reason = withoutUrl(messageOf(error), url, name);
  // What clients say when they don't know why.
  const hint = /^(?:Failed to connect|Connection closed)$/.test(reason)
    ? "; see that it runs, that this machine may reach it, and that user and password are right"
    : "";
  return new UserError(`${placeOf(url)} can't be used: ${reason}${hint}`);
}
