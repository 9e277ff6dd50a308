import { connect } from "node:net";
import { RedisClient } from "bun";

const REDIS_MS = 3000;

/** What `INFO` says. @see https://redis.io/docs/latest/commands/info/ */
export type RedisFacts = Readonly<Record<string, string | undefined>>;

/** Asks it. Rejects with why it does not answer, as far as that can be found out. */
export async function redisFacts(url: string): Promise<RedisFacts> {
  const client = new RedisClient(url, {
    autoReconnect: false,
    enableOfflineQueue: false,
    connectionTimeout: REDIS_MS,
  });
  try {
    await client.connect().catch(async (error: unknown) => {
      throw new Error((await refusalOf(url)) ?? (error instanceof Error ? error.message : "?"), {
        cause: error,
      });
    });
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

/** What `PING` without a password is answered: Bun's client does not say why it could not log in. Null for TLS. */
async function refusalOf(url: string): Promise<string | null> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "redis:") return null;
  const answer = await ping(hostname, Number(port || 6379));
  if (answer.startsWith("-NOAUTH"))
    return "it wants a password, and the one in the address is wrong or missing";
  if (answer.startsWith("+PONG")) return "it answers, but takes no user and password, or not these";
  if (answer.startsWith("-DENIED")) return "its protected mode lets only its own machine in";
  return answer === "" ? "what listens there is no Redis" : answer;
}

/** The first line of the answer, or why there is none. */
function ping(host: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: host.replace(/^\[|\]$/g, ""), port });
  socket.setTimeout(REDIS_MS, () => resolve(`no answer within ${REDIS_MS / 1000} s`));
  socket.once("connect", () => socket.write("PING\r\n"));
  socket.once("data", (bytes) => resolve(bytes.toString("utf8", 0, 200).split("\r\n")[0] ?? ""));
  socket.once("error", ({ message }) => resolve(message));
  socket.once("close", () => resolve(""));
  return promise.finally(() => socket.destroy());
}
