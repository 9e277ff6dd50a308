import { RedisClient } from "bun";
import type { Config } from "../config/schema.ts";
import { databaseUrlOf, redisUrlOf } from "../config/service-urls.ts";
import { withoutUrl } from "../lib/url-secrets.ts";
import { UserError } from "../lib/user-error.ts";
import { inspectDatabase } from "../store/index.ts";
import { type Finding, finding, messageOf } from "./finding.ts";

const REDIS_MS = 3000;

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

/** What `INFO` says. @see https://redis.io/docs/latest/commands/info/ */
type RedisFacts = Readonly<Record<string, string | undefined>>;

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

async function redisFacts(url: string): Promise<RedisFacts> {
  const client = new RedisClient(url, {
    autoReconnect: false,
    enableOfflineQueue: false,
    connectionTimeout: REDIS_MS,
  });
  try {
    await client.connect();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`no answer within ${REDIS_MS / 1000} s`)),
      REDIS_MS,
    );
    const asked = Promise.all(
      ["server", "memory", "replication"].map((part) => client.send("INFO", [part])),
    );
    const parts = await Promise.race([asked, late.promise]).finally(() => clearTimeout(timer));
    return Object.fromEntries(
      parts
        .flatMap((part) => String(part).split(/\r?\n/))
        .flatMap((line) => {
          const at = line.indexOf(":");
          return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
        }),
    );
  } finally {
    client.close();
  }
}

/** Where it is, without who asks. */
function placeOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "the address" : `${parsed.host}${parsed.pathname}`;
}

function unreachable(url: string, name: string, error: unknown): UserError {
  const reason = withoutUrl(messageOf(error), url, name);
  return new UserError(
    `${placeOf(url)} can't be used: ${reason}; see that it runs, that this machine may reach it, and that user and password are right`,
  );
}
