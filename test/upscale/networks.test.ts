import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openNetworks } from "../../src/engines/upscale/networks.ts";
import { shipped } from "./weights.ts";

const folder = mkdtempSync(join(tmpdir(), "covey-networks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a network that could not be opened is tried again, and one that was opened is kept", async () => {
  const { files, range } = shipped("esrgan-medium");
  const [first] = files.toSorted((one, other) => one.scale - other.scale);
  if (first === undefined) throw new Error("the model has no networks");
  const model = join(folder, "model.json");
  const networks = openNetworks([{ ...first, model }], range, 1);
  await expect(networks.open(first.scale)).rejects.toThrow("ENOENT");
  cpSync(first.model, model);
  const opened = await networks.open(first.scale);
  rmSync(model);
  expect(await networks.open(first.scale)).toBe(opened);
});
