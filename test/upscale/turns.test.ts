import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Progress } from "../../src/contract/upscale.ts";
import { encode } from "../../src/images/encode.ts";
import { ROOT, startCovey, type TestCovey } from "../covey.ts";
import { ADMIN_KEY, type Made, makeKey } from "../e2e/keys/made.ts";
import { callIdOf, endedRow, post, until } from "../e2e/wire.ts";

/** Several images at one model: who waits for whom, and what those pay that leave. */

setDefaultTimeout(120_000);

const PRICE = "\n[price]\nprompt = 0\ncompletion = 0\nrequest = 0.001\nimage = 0.01\n";
const PAID = 11_000_000;
const LARGE_TILES = 16;

let folder: string;
let covey: TestCovey;
let [first, second, third]: Made[] = [];
let [large, small] = ["", ""];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "covey-upscale-"));
  mkdirSync(join(folder, "models"), { recursive: true });
  const shipped = readFileSync(join(ROOT, "catalog/models/esrgan-thick.toml"), "utf8");
  writeFileSync(join(folder, "models/priced.toml"), shipped + PRICE);
  covey = await startCovey({ home: folder, env: { COVEY_ADMIN_KEY: ADMIN_KEY } });
  [first, second, third] = [await makeKey(covey), await makeKey(covey), await makeKey(covey)];
  // About half a minute of one thread, in 16 tiles.
  large = await black(500, 500);
  small = await black(48, 32);
});
afterAll(async () => {
  await covey.close();
  rmSync(folder, { recursive: true, force: true });
});

async function black(width: number, height: number): Promise<string> {
  const pixels = new Uint8Array(width * height * 3);
  return (await encode({ width, height, channels: 3, pixels }, "image/png")).toBase64();
}

const headersOf = (made: Made | undefined) => ({ ...made?.headers });
const ask = (
  image: string,
  made: Made | undefined,
  signal = new AbortController().signal,
  fields = {},
) =>
  post(`${covey.url}/v1/upscale-img`, { image, ...fields }, { headers: headersOf(made), signal });

async function progressOf(made: Made | undefined): Promise<Progress> {
  const headers = headersOf(made);
  const answer = await fetch(`${covey.url}/sdapi/v1/progress`, { headers });
  return Progress.parse(await answer.json());
}

const thick = () => {
  const found = covey.app.local.snapshot().find(({ model }) => model === "covey/esrgan-thick");
  if (found === undefined) throw new Error("no such model");
  return found;
};

test("a small image is done while large ones that came before it go on, each by its own progress", async () => {
  const client = new AbortController();
  const ended: string[] = [];
  const asked = [first, first, second].map((made, index) =>
    ask(large, made, client.signal).then(
      () => ended.push(`large ${index}`),
      () => undefined,
    ),
  );
  await until(
    async () => ((await progressOf(first)).progress > 0 ? true : null),
    "it is under way",
  );
  // Two at a time are worked on by turns; the third, be it another key's, waits for one of them.
  expect(thick()).toMatchObject({ running: 2, waiting: 1 });

  const answer = await ask(small, third);
  ended.push("small");
  expect(answer.status).toBe(200);
  expect(ended).toEqual(["small"]);
  expect((await progressOf(first)).progress).toBeWithin(0.01, 0.6);
  expect(await progressOf(second)).toMatchObject({ progress: 0, state: { job_count: 1 } });

  client.abort();
  await Promise.all(asked);
  await until(() => (thick().running + thick().waiting === 0 ? true : null), "all places are free");
  // Who was in the line pays nothing, who was under way for the image; what was delivered is paid.
  const rows = await until(async () => {
    await covey.app.store.caughtUp();
    const all = await covey.app.store.calls.listCalls({ limit: 10 });
    const left = all.filter(({ status }) => status === "cancelled");
    return left.length === 3 ? left : null;
  }, "they are in the log");
  const waited = rows.find(({ key_id }) => key_id === second?.id);
  expect(waited).toMatchObject({ images: 0, pixels: 0, cost_nano_usd: 0 });
  const begun = rows.find(({ images }) => images === 1);
  expect(begun).toMatchObject({ key_id: first?.id, cost_nano_usd: PAID });
  expect(begun?.pixels).toBeWithin(1, 2_000 * 2_000);
  const row = await endedRow(covey, callIdOf(answer));
  expect(row).toMatchObject({ pixels: 192 * 128, cost_nano_usd: PAID });
});

test("a small image waits for one tile of a large one, not for one with each step of its own", async () => {
  const client = new AbortController();
  const gone = ask(large, first, client.signal).catch(() => undefined);
  const tiles = async () => Math.round(((await progressOf(first)).progress / 0.95) * LARGE_TILES);
  await until(async () => ((await tiles()) > 0 ? true : null), "it is under way");
  const model = "covey/esrgan-thick";
  const waited: Record<string, number> = {};
  for (const [whose, made] of Object.entries({ "another's": second, "the same key's": first }))
    for (const upscaler_1 of ["None", "Lanczos", "ESRGAN_4x"]) {
      const before = await tiles();
      const answer = await ask(small, made, client.signal, { model, upscaler_1 });
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
      waited[`${whose} ${upscaler_1}`] = (await tiles()) - before;
    }
  client.abort();
  await gone;
  // The one that was under way; and another one where that ended just as the small image came.
  const most = Object.keys(waited).map((name) => [name, Math.min(waited[name] ?? 9, 2)]);
  expect(waited).toEqual(Object.fromEntries(most));
  // Not even for one: it has no step. The one under way may have ended meanwhile.
  expect(waited["another's None"]).toBeLessThan(2);
});

test("a place that was left is another's at the next tile", async () => {
  const answer = await ask(small, second);
  expect(answer.status).toBe(200);
});
