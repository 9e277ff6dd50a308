import { expect, test } from "bun:test";
import { RedisLink } from "./redis-link.ts";

test("an address that the client does not take is told as a reason, again and again, and never thrown", async () => {
  const reasons: string[] = [];
  const seen = Promise.withResolvers<void>();
  const link = new RedisLink({
    url: "redis://:hunter2-hunter2@127.0.0.1:6379/letters",
    timeoutMs: 100,
    pauseMs: { least: 1, most: 2 },
    up: () => Promise.reject(new Error("it must not stand")),
    down: (reason) => {
      reasons.push(reason);
      if (reasons.length === 3) seen.resolve();
    },
  });
  const running = link.run();
  await Promise.race([seen.promise, running]);
  expect(reasons).toHaveLength(3);
  expect(reasons[0]).toContain("database number");
  expect(reasons[0]).not.toContain("hunter2");
  link.stop();
  await running;
});
