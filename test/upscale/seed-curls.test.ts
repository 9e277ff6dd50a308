import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageFacts } from "../../src/images/facts.ts";
import { ROOT, startCovey, type TestCovey } from "../covey.ts";
import { isHere } from "../needs.ts";

/** What Arli AI's documentation tells people to type about upscaling works with nothing changed but the base URL. */

setDefaultTimeout(120_000);

const BASE = "https://api.arliai.com/v1";
const PHOTO = `${ROOT}/node_modules/@upscalerjs/esrgan-medium/assets/fixture.png`;
const [, upscale = "", upscalers = "", parallel = ""] = readFileSync(
  join(import.meta.dir, "../e2e/seed/upscaling.sh"),
  "utf8",
)
  .trim()
  .split("\n\n");
const runs = isHere("sh", "curl", "base64", "python3");

let covey: TestCovey;
let folder: string;
beforeAll(async () => {
  covey = await startCovey();
  folder = mkdtempSync(join(tmpdir(), "covey-upscaled-"));
  writeFileSync(join(folder, "photo.png"), readFileSync(PHOTO));
});
afterAll(async () => {
  await covey.close();
  rmSync(folder, { recursive: true, force: true });
});

async function typed(command: string): Promise<string> {
  const script = `curl() { command curl -sS "$@"; }\n${command.replace(BASE, `${covey.url}/v1`)}`;
  const child = Bun.spawn(["sh", "-c", script], { cwd: folder, stdin: "ignore", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  expect([code, err]).toEqual([0, ""]);
  return out;
}

test.skipIf(!runs)("a photograph is upscaled and saved", async () => {
  expect(await typed(upscale)).toBe("Saved upscaled.png (4x)\n");
  const facts = imageFacts(readFileSync(join(folder, "upscaled.png")));
  expect(facts).toMatchObject({ type: "image/png", width: 512, height: 512 });
});

test.skipIf(!runs)("upscalers are listed, ESRGAN_4x among them", async () => {
  expect(JSON.parse(await typed(upscalers))).toContainEqual(
    expect.objectContaining({ name: "ESRGAN_4x", scale: 4 }),
  );
});

test.skipIf(!runs)("the parallel requests are 6, and it is said how many are left", async () => {
  expect(JSON.parse(await typed(parallel))).toMatchObject({
    ...{ parallel_requests: 6, remaining: 6 },
    message: "You can run up to 6 parallel requests",
  });
});
