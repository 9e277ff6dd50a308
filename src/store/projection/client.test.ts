import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder, until } from "../../../test/store/calls-fixture.ts";
import { Projection } from "./client.ts";

/** Stands for the database's thread: all that it is told of is in the database at once. */
const PROMPT = `self.onmessage = ({ data }) => {
  if (data.kind === "readable") self.postMessage({ kind: "position", end: data.end, skippedBytes: 0 });
  if (data.kind === "close") self.postMessage({ kind: "closed" });
};`;

function projection(folder: string): Projection {
  const script = join(folder, "prompt.js");
  writeFileSync(script, PROMPT);
  const keep = { callsMs: 0, minutesMs: 0, hoursMs: 0, daysMs: 0, maxBytes: 0, refusedRows: 0 };
  const place = { database: join(folder, "covey.db"), gateway: "g" };
  return new Projection({ journal: folder, place, keep }, script);
}

test("what comes soon after something else waits for more, but not while somebody waits for it", async () => {
  using folder = tempFolder();
  const follower = projection(folder.path);
  follower.readable({ segment: 1, offset: 100 });
  await until(() => follower.lagBytes === 0);
  const began = performance.now();
  follower.readable({ segment: 1, offset: 200 });
  await until(() => follower.lagBytes === 0);
  expect(performance.now() - began).toBeGreaterThan(250);
  follower.readable({ segment: 1, offset: 300 });
  expect(await follower.caughtUp(350)).toBe(true);
  await follower.close(1000);
});
