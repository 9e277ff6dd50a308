import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisClient } from "bun";

/** A real Redis on a port of its own, which can be killed and started again. It keeps nothing on disk. */
export interface TestRedis {
  readonly url: string;
  start(): Promise<void>;
  /** Ends it at once, with all it held. */
  kill(): Promise<void>;
  /** Stops its process where it stands, its sockets open, and lets it go on. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

const READY_MS = 10_000;

export async function testRedis(): Promise<TestRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "covey-redis-"));
  const url = `redis://127.0.0.1:${port}`;
  let running: Bun.Subprocess | null = null;
  const redis: TestRedis = {
    url,
    start: async () => {
      running = Bun.spawn(
        [
          "redis-server",
          ...["--port", `${port}`, "--bind", "127.0.0.1"],
          ...["--save", "", "--appendonly", "no", "--dir", folder],
        ],
        { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
      );
      await answering(url);
    },
    kill: async () => {
      running?.kill("SIGKILL");
      await running?.exited;
      running = null;
    },
    freeze: () => running?.kill("SIGSTOP"),
    thaw: () => running?.kill("SIGCONT"),
    close: async () => {
      await redis.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await redis.start();
  return redis;
}

async function answering(url: string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const client = new RedisClient(url, { autoReconnect: false, enableOfflineQueue: false });
    try {
      await client.connect();
      await client.send("PING", []);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await Bun.sleep(20);
    } finally {
      client.close();
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("no port"));
      });
    });
  });
}

/**
 * Makes a new Redis one that has been in use for long, so that its first window is not one of waiting.
 * It must be the first to speak to it.
 */
export async function settleIn(url: string, prefix: string): Promise<void> {
  const client = new RedisClient(url);
  try {
    const info = String(await client.send("INFO", ["server"]));
    const run = /^run_id:(\w+)/m.exec(info)?.[1] ?? "";
    await client.send("HSET", [`${prefix}epoch`, "run", run, "since", "1000000000000.000"]);
  } finally {
    client.close();
  }
}
