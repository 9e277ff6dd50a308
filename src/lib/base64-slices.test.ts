import { expect, test } from "bun:test";
import { base64Of } from "./base64-slices.ts";

test("bytes put together from slices are the base64 of all of them", async () => {
  const all = Uint8Array.from({ length: 1_000 }, (_, at) => (at * 37) & 0xff);
  for (const length of [0, 1, 2, 3, 29, 30, 31, 999])
    for (const from of [0, 1]) {
      const bytes = all.subarray(from, from + length);
      expect(await base64Of(bytes, 30)).toBe(Buffer.from(bytes).toString("base64"));
    }
});

test("the event loop has its turns while many megabytes are written", async () => {
  const bytes = new Uint8Array(60_000_000);
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const text = await base64Of(bytes);
  isDone = true;
  expect(text.length).toBe(80_000_000);
  expect(turns).toBeGreaterThan(2);
});
