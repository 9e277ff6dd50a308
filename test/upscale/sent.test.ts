import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { UpscaleAnswer } from "../../src/contract/upscale.ts";
import { decode } from "../../src/images/decode.ts";
import { encode } from "../../src/images/encode.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { ADMIN, ADMIN_KEY, type Made, makeKey } from "../e2e/keys/made.ts";
import { endedRow, post, until } from "../e2e/wire.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";

/** A call for an image from its client's side: interrupted, read slowly, left amid its answer. */

setDefaultTimeout(60_000);

const SIDE = 1400;

let arli: FakeUpstream;
let covey: TestCovey;
let mine: Made;
let yours: Made;
/** Noise, which no format makes small. */
let noise: string;
beforeAll(async () => {
  arli = fakeUpstream({ dialect: "arli", upscalers: ["silent_4x"] });
  covey = await startCovey({
    toml: `
[engine]
preload = false
[plans.one]
image_parallel = 4
[providers.arli]
base_url = "${arli.url}"
price = { prompt = 0, completion = 0, image = 0.02 }
`,
    env: { COVEY_ADMIN_KEY: ADMIN_KEY, ARLI_API_KEY: "sk-arli-0123456789abcdef" },
  });
  mine = await makeKey(covey, { plan: "one" });
  yours = await makeKey(covey, { plan: "one" });
  noise = await picture(SIDE);
  await until(async () => {
    const answer = await fetch(`${covey.url}/v1/upscalers`, { headers: ADMIN });
    return (await answer.text()).includes("silent_4x") ? true : null;
  }, "the list is there");
});
afterAll(async () => {
  await covey.close();
  await arli.close();
});

async function picture(side: number): Promise<string> {
  const pixels = new Uint8Array(side * side * 3);
  for (let at = 0; at < pixels.length; at += 65_536)
    crypto.getRandomValues(pixels.subarray(at, at + 65_536));
  const raster = { width: side, height: side, channels: 3, pixels } as const;
  return (await encode(raster, "image/png")).toBase64();
}

const ask = (who: Made, fields: object, signal?: AbortSignal): Promise<Response> =>
  post(`${covey.url}/v1/upscale-img`, fields, {
    headers: who.headers,
    ...(signal === undefined ? {} : { signal }),
  });

const running = async (who: Made): Promise<number> => {
  const answer = await fetch(`${covey.url}/v1/parallel-requests`, { headers: who.headers });
  return Object(await answer.json()).running;
};

const interrupt = async (who: Made): Promise<unknown> => {
  const answer = await fetch(`${covey.url}/sdapi/v1/interrupt`, {
    method: "POST",
    headers: who.headers,
  });
  return { status: answer.status, body: await answer.json() };
};

async function ended(work: Promise<Response>) {
  const answer = await work;
  const body: unknown = await answer.json();
  return {
    status: answer.status,
    body,
    row: await endedRow(covey, answer.headers.get("x-covey-call-id") ?? ""),
  };
}

const INTERRUPTED = {
  status: 499,
  body: {
    error: {
      message: expect.stringContaining("interrupted"),
      type: "api_error",
      param: null,
      code: "client_closed",
    },
    detail: expect.stringContaining("interrupted"),
  },
};

test("an interrupt with nothing to end is answered with {}", async () => {
  expect(await interrupt(mine)).toEqual({ status: 200, body: {} });
  const headers = { authorization: "Bearer sk-of-nobody" };
  const stranger = await fetch(`${covey.url}/sdapi/v1/interrupt`, { method: "POST", headers });
  expect(stranger.status).toBe(401);
});

test("it ends one's own image at a provider, and nobody else's; its client is told, and it is logged as cancelled", async () => {
  const image = await picture(16);
  const own = ask(mine, { image, upscaler_1: "silent_4x" });
  const leaving = new AbortController();
  const other = ask(yours, { image, upscaler_1: "silent_4x" }, leaving.signal);
  await until(() => (arli.open === 2 ? true : null), "both are asked");
  expect(await interrupt(mine)).toEqual({ status: 200, body: {} });
  const { status, body, row } = await ended(own);
  expect({ status, body }).toMatchObject(INTERRUPTED);
  expect(row).toMatchObject({
    ...{ status: "cancelled", http_status: 499, images: 1, cost_nano_usd: 20_000_000 },
  });
  await arli.untilCancelled(1);
  expect([await running(mine), await running(yours), arli.open]).toEqual([0, 1, 1]);
  leaving.abort();
  await other.catch(() => undefined);
  await arli.untilCancelled(2);
});

test("it ends images that are made here, and one that waits for them", async () => {
  const image = await picture(330);
  // Three of them have a place.
  const works = Array.from({ length: 4 }, () => ask(mine, { image }));
  await until(async () => {
    const answer = await fetch(`${covey.url}/sdapi/v1/progress`, { headers: mine.headers });
    const { progress, state } = Object(await answer.json());
    return progress > 0 && state.job_count === works.length ? true : null;
  }, "one is under way, and one waits");
  await interrupt(mine);
  const rows = await Promise.all(works.map(ended));
  for (const { status, body, row } of rows) {
    expect({ status, body }).toMatchObject(INTERRUPTED);
    expect(row).toMatchObject({ status: "cancelled", http_status: 499 });
  }
  const images = rows.map(({ row }) => row.images);
  expect([Math.min(...images), Math.max(...images)]).toEqual([0, 1]);
  const next = await ask(mine, { image: await picture(16), upscaler_1: "ESRGAN_2x" });
  expect(next.status).toBe(200);
});

test("an image that nobody reads keeps its place until it is read to its end", async () => {
  const answer = await ask(mine, { image: noise, upscaler_1: "None" });
  expect(answer.status).toBe(200);
  expect(await running(mine)).toBe(1);
  // What is made is not interrupted.
  await interrupt(mine);
  expect(await running(mine)).toBe(1);
  const body = UpscaleAnswer.parse(await answer.json());
  expect(body.images).toEqual([body.image]);
  expect((await decode(Uint8Array.fromBase64(body.image))).width).toBe(SIDE);
  expect(await endedRow(covey, answer.headers.get("x-covey-call-id") ?? "")).toMatchObject({
    ...{ status: "completed", images: 1, pixels: SIDE * SIDE },
  });
  expect(await running(mine)).toBe(0);
});

test("a client that leaves amid its image gives its place back", async () => {
  const client = new AbortController();
  const answer = await ask(mine, { image: noise, upscaler_1: "None" }, client.signal);
  expect(await running(mine)).toBe(1);
  client.abort();
  const row = await endedRow(covey, answer.headers.get("x-covey-call-id") ?? "");
  expect(row).toMatchObject({ status: "cancelled", http_status: 499, images: 1 });
  expect(await running(mine)).toBe(0);
});
