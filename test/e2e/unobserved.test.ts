import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnCovey } from "../covey.ts";
import { pngOf } from "../images.ts";
import { post } from "./wire.ts";

const folder = mkdtempSync(join(tmpdir(), "covey-unobserved-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("what runs on this machine leaves no device's id, queue or log of its own behind, and so tells nobody", async () => {
  const own = (name: string) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const HOME = own("user");
  const TMPDIR = own("tmp");
  const config = join(folder, "covey.toml");
  writeFileSync(config, "[engine]\npreload = false\n");
  const covey = await spawnCovey(["--home", own("home"), "--config", config], { HOME, TMPDIR });
  try {
    const image = `data:image/png;base64,${Buffer.from(pngOf(16, 16)).toString("base64")}`;
    const asked = [
      ["/v1/embeddings", { model: "all-minilm", input: "x" }],
      ["/v1/upscale-img", { image, upscaling_resize: 2 }],
      ["/api/ocr", { image }],
    ] as const;
    for (const [path, body] of asked)
      expect([path, (await post(covey.url + path, body)).status]).toEqual([path, 200]);
  } finally {
    await covey.end();
  }
  // Bun has a folder of its own there.
  expect(readdirSync(HOME)).not.toContain(".cache");
  expect(readdirSync(TMPDIR).filter((name) => /mat-debug|\.ses|onnx/.test(name))).toEqual([]);
}, 120_000);
