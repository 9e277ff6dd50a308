import { afterAll, beforeEach, test } from "bun:test";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type Claim, type Lease, type Limits, UNLIMITED } from "../../src/gateway/limits/limits.ts";
import { SharedLimiter } from "../../src/gateway/limits/shared/shared-limiter.ts";
import { isHere } from "../needs.ts";
import { settleIn, type TestRedis, testRedis } from "./redis-server.ts";

/** Everything of a minute in 1.2 seconds. */
export const QUICK = {
  windowMs: 1200,
  ttlMs: 900,
  quietMs: 240,
  shareForMs: 20_000,
  timeoutMs: 150,
};

export interface GatewayOptions {
  readonly gateways?: number;
  readonly spent?: () => Promise<number>;
  /** In place of the Redis's own. */
  readonly url?: string;
}

/** Limiters of gateways on one real Redis, each test with data of its own. To be called once, by a test file. */
export async function quickGateways() {
  const here = isHere("redis-server");
  const redis: TestRedis | null = here ? await testRedis() : null;
  const url = redis?.url ?? "";
  const open = new Set<SharedLimiter>();
  const wires = new Set<Wire>();
  let nth = 0;
  let prefix = "";

  const closeAll = async (): Promise<void> => {
    await Promise.all([...open].map((limiter) => limiter.close()));
    await Promise.all([...wires].map((wire) => wire.close()));
    open.clear();
    wires.clear();
  };
  beforeEach(async () => {
    await closeAll();
    nth += 1;
    prefix = `test${nth}:`;
    if (here) await settleIn(url, prefix);
  });
  afterAll(async () => {
    await closeAll();
    await redis?.close();
  });

  return {
    withRedis: test.skipIf(!here),
    url,
    redis,
    /** What the names of this test's data begin with. */
    prefix: () => prefix,
    /** From here on it is a Redis that nobody knows. */
    renew: () => {
      prefix = `${prefix}new:`;
    },
    /** A gateway that has ended. */
    async end({ limiter }: { readonly limiter: SharedLimiter }): Promise<void> {
      await limiter.close();
      open.delete(limiter);
    },
    async wire(): Promise<Wire> {
      const wire = await wireTo(Number(new URL(url).port));
      wires.add(wire);
      return wire;
    },
    gateway(
      name: string,
      { gateways = 2, spent = async () => 0, url: other = url }: GatewayOptions = {},
    ) {
      const limiter = new SharedLimiter({
        ...QUICK,
        url: other,
        prefix,
        gateway: name,
        gateways,
        spent,
      });
      open.add(limiter);
      const ask = async (limits: Partial<Limits>, claim: Partial<Claim> = {}): Promise<Lease> => {
        const usual = { tokens: 0, units: 1, image: false, costNanoUsd: null };
        const whole = { keyId: "k", ...usual, ...claim };
        return await limiter.admit({ ...whole, limits: { ...UNLIMITED, ...limits } });
      };
      const refused = (limits: Partial<Limits>, claim: Partial<Claim> = {}) =>
        ask(limits, claim).then(
          () => null,
          (error) => ({ kind: error.kind, retryAfter: error.retryAfter }),
        );
      const standing = (limits: Partial<Limits>) =>
        limiter.standing("k", { ...UNLIMITED, ...limits });
      const headers = (limits: Partial<Limits>) =>
        limiter.headers("k", { ...UNLIMITED, ...limits });
      return { limiter, ask, refused, standing, headers };
    },
  };
}

export async function until(is: () => boolean | Promise<boolean>, ms = 8000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await is())) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms`);
    await Bun.sleep(10);
  }
}

/** A line to the Redis that can be cut for one gateway alone. */
export interface Wire {
  readonly url: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

async function wireTo(port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const redis = connect(port, "127.0.0.1");
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(one);
      // Either end may go at any moment: that is what this is for.
      one.on("error", () => one.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `redis://127.0.0.1:${address.port}`,
    cut,
    mend: () => {
      isCut = false;
    },
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
