import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keepCopy, lastCopy } from "./list-copy.ts";

const folder = mkdtempSync(join(tmpdir(), "covey-copies-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE = "http://me:hunter2@127.0.0.1:8000/v1";

test("a list is kept with its source, and comes back from that source only", async () => {
  await keepCopy(folder, "box", SOURCE, '{"data":[]}', []);
  expect(await lastCopy(folder, "box", SOURCE)).toBe('{"data":[]}');
  expect(await lastCopy(folder, "box", "http://127.0.0.1:8001/v1")).toBeNull();
});

test("neither a key nor the password of its address is in the file", async () => {
  await keepCopy(folder, "box", SOURCE, '{"data":["sk-secret"]}', ["sk-secret"]);
  expect(readFileSync(join(folder, "box.json"), "utf8")).not.toMatch(/hunter2|sk-secret/);
});
