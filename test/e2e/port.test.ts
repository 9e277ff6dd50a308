import { expect, test } from "bun:test";
import { startCovey } from "../covey.ts";

test("a port has one server: a second one is refused instead of getting half of its calls", async () => {
  const first = await startCovey();
  try {
    const port = new URL(first.url).port;
    const second = startCovey({ flags: { port } });
    await expect(second).rejects.toThrow(/in use|EADDRINUSE/);
  } finally {
    await first.close();
  }
});
