import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import sharp from "sharp";
import { ExtrasAnswer, UpscaleAnswer, UpscalerList } from "../../src/contract/upscale.ts";
import { decode } from "../../src/images/decode.ts";
import { encode } from "../../src/images/encode.ts";
import { imageFacts } from "../../src/images/facts.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { makeKey } from "../e2e/keys/made.ts";
import { callIdOf, endedRow, FAKE_KEY, post, until } from "../e2e/wire.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { DRAWINGS } from "./drawings.ts";

/** Upscaling at providers, in their own dialects, through the whole of Covey. */

setDefaultTimeout(60_000);

const KEY = "sk-admin-fedcba9876543210fedcba98";
const headers = { authorization: `Bearer ${KEY}` };
const FAULTS = [
  ...["status-500_4x", "status-404_4x", "slow-30000_4x", "silent_4x", "truncated_4x"],
  ...["halfbase64_4x", "page_4x", "text_4x", "none_4x", "jpeg_4x", "webp_4x", "gif_4x", "uri_4x"],
  ...["once-500_4x", "status-503_4x", "arlifails_4x", "slow-700_4x"],
];
const SIDE = 16;

let arli: FakeUpstream;
let webui: FakeUpstream;
let other: FakeUpstream;
let covey: TestCovey;
beforeAll(async () => {
  arli = fakeUpstream({ dialect: "arli", upscalers: FAULTS });
  webui = fakeUpstream({ dialect: "sdwebui", upscalers: ["arlifails_4x"] });
  other = fakeUpstream({ dialect: "sdwebui" });
  covey = await startCovey({
    toml: `
[engine]
preload = false
[plans.few]
image_parallel = 6
[providers.arli]
base_url = "${arli.url}"
answer_timeout = "2s"
price = { prompt = 0, completion = 0, request = 0.001, image = 0.02 }
[providers.webui]
type = "sd-webui"
base_url = "${webui.url}"
api_key_env = "SD_AUTH"
[providers.named]
type = "a1111"
base_url = "${other.url}"
priority = 5
models = [{ id = "sharp", upstream_id = "R-ESRGAN 4x+", features = ["upscaling"] }]
`,
    env: {
      COVEY_ADMIN_KEY: KEY,
      ARLI_API_KEY: FAKE_KEY,
      SD_AUTH: "user:pass word".split(" ")[0] ?? "",
    },
  });
  await until(async () => {
    const names = (await list()).map(({ name }) => name);
    return names.includes("R-ESRGAN 2x+") && names.includes("Remacri_4x") ? true : null;
  }, "the lists are there");
});
afterAll(async () => {
  await covey.close();
  for (const server of [arli, webui, other]) await server.close();
});

const get = async (path: string): Promise<unknown> =>
  (await fetch(`${covey.url}${path}`, { headers })).json();
const list = async (): Promise<UpscalerList> => UpscalerList.parse(await get("/v1/upscalers"));

async function small(): Promise<string> {
  const drawing = DRAWINGS["flat colours"]?.(SIDE);
  if (drawing === undefined || drawing.channels === 1) throw new Error("no drawing");
  const { channels, ...rest } = drawing;
  return (await encode({ channels, ...rest }, "image/png")).toBase64();
}

async function ask(fields: object, path = "/v1/upscale-img", init: object = {}) {
  const image = await small();
  return post(`${covey.url}${path}`, { image, ...fields }, { headers, ...init });
}

async function enlarged(fields: object) {
  const answer = await ask(fields);
  expect(answer.status).toBe(200);
  const body = UpscaleAnswer.parse(await answer.json());
  return { answer, body, bytes: Uint8Array.fromBase64(body.image) };
}

const lastAsked = (server: FakeUpstream) => server.requests.at(-1);

describe("a provider's upscaler", () => {
  test("is asked by its name, in Arli AI's words; the image and its pixels are in the log", async () => {
    const { answer, body, bytes } = await enlarged({ upscaler_1: "remacri_4X" });
    expect(body.info).toMatchObject({
      ...{ upscaler: "Remacri_4x", scale_factor: 4, width: 64, height: 64 },
      ...{ model: "Remacri_4x", format: "png", source_width: 16 },
    });
    expect(body.images).toEqual([body.image]);
    expect(imageFacts(bytes)).toMatchObject({ type: "image/png", width: 64, height: 64 });
    expect(answer.headers.get("x-covey-provider")).toBe("arli");
    expect(answer.headers.get("x-covey-dropped-params")).toBeNull();
    const sent = lastAsked(arli);
    expect(sent?.path).toBe("/v1/upscale-img");
    expect(sent?.headers.get("authorization")).toBe(`Bearer ${FAKE_KEY}`);
    expect(Object.keys(sent?.body ?? {}).toSorted()).toEqual(["image", "upscaler_1"]);
    expect(sent?.body.upscaler_1).toBe("Remacri_4x");
    expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
      ...{ status: "completed", provider: "arli", model: "Remacri_4x", images: 1, pixels: 64 * 64 },
      ...{ endpoint: "/v1/upscale-img", cost_nano_usd: 21_000_000, usage_source: "counted" },
    });
  });

  test("is asked in a web UI's words, every default said, with its key as it wants it", async () => {
    const fields = {
      upscaler_1: "R-ESRGAN 4x+",
      upscaler_2: "lanczos",
      extras_upscaler_2_visibility: 0.3,
    };
    const answer = await ask({ ...fields, upscale_first: true }, "/sdapi/v1/extra-single-image");
    const body = ExtrasAnswer.parse(await answer.json());
    expect(JSON.parse(body.info)).toMatchObject({ upscaler: "R-ESRGAN 4x+", scale_factor: 2 });
    const sent = lastAsked(webui);
    expect(sent?.path).toBe("/sdapi/v1/extra-single-image");
    expect(sent?.headers.get("authorization")).toBe(`Basic ${btoa("user:pass")}`);
    expect(sent?.body).toEqual({
      ...{ image: await small(), upscaler_1: "R-ESRGAN 4x+", resize_mode: 0, upscaling_resize: 2 },
      ...{ upscaler_2: "Lanczos", extras_upscaler_2_visibility: 0.3, upscale_first: true },
    });
    await enlarged({ upscaler_1: "R-ESRGAN 2x+" });
    expect(lastAsked(webui)?.body).toMatchObject({ upscaling_resize: 2 });
    await enlarged({ upscaler_1: "R-ESRGAN 4x+", resize_mode: 1, upscaling_resize_w: 40 });
    expect(lastAsked(webui)?.body).toMatchObject({
      ...{ resize_mode: 1, upscaling_resize_w: 40, upscaling_resize_h: 512, upscaling_crop: true },
    });
  });

  test("that the config names has the name that it gives", async () => {
    const { body } = await enlarged({ model: "sharp" });
    expect(body.info).toMatchObject({ model: "sharp", upscaler: "R-ESRGAN 4x+", scale_factor: 4 });
    expect(lastAsked(other)?.body).toMatchObject({
      upscaler_1: "R-ESRGAN 4x+",
      upscaling_resize: 4,
    });
    expect(other.lookups).toEqual([]);
  });

  test("is told what it can't do: what was dropped is in the header and the log", async () => {
    const wishes = { upscaling_resize: 2, format: "jpeg", quality: 50, foo: 1 };
    const { answer, body } = await enlarged({ upscaler_1: "Remacri_4x", ...wishes });
    expect(body.info).toMatchObject({ scale_factor: 4, format: "png" });
    const dropped = "upscaling_resize, format, quality, foo";
    expect(answer.headers.get("x-covey-dropped-params")).toBe(dropped);
    expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
      dropped_params: dropped.split(", "),
    });
    const required = await ask({
      upscaler_1: "Remacri_4x",
      ...wishes,
      provider: { require_parameters: true },
    });
    expect(required.status).toBe(404);
    expect(JSON.stringify(await required.json())).toContain("require_parameters (upscaling_resize");
  });

  test("gets an upright image without metadata; a data URI is one too", async () => {
    const grey = { width: 30, height: 20, channels: 3, background: "#888" } as const;
    const file = await sharp({ create: grey }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    await enlarged({
      upscaler_1: "Remacri_4x",
      image: `data:image/jpeg;base64,${file.toString("base64")}`,
    });
    const sent = Uint8Array.fromBase64(String(lastAsked(arli)?.body.image));
    expect(imageFacts(sent)).toMatchObject({ width: 20, height: 30, orientation: 1 });
  });

  test.each(["jpeg", "webp"] as const)(
    "may answer with %s, which is what its content says",
    async (format) => {
      const { body, bytes } = await enlarged({ upscaler_1: `${format}_4x` });
      expect(body.info.format).toBe(format);
      expect(imageFacts(bytes)?.type).toBe(`image/${format}`);
    },
  );

  test("may answer with a data URI in lines", async () => {
    const { body, bytes } = await enlarged({ upscaler_1: "uri_4x" });
    expect(body.image).toMatch(/^[A-Za-z0-9+/=]+$/);
    expect((await decode(bytes)).width).toBe(64);
  });
});

describe("which of them", () => {
  test("is listed: each name once, ours before theirs; as models too", async () => {
    const all = await list();
    const named = (name: string) => all.filter((each) => each.name === name);
    expect(named("ESRGAN_4x")).toMatchObject([{ model_name: "covey/esrgan-thick" }]);
    expect(named("R-ESRGAN 4x+")).toMatchObject([{ scale: 4 }]);
    expect(named("Lanczos")).toHaveLength(1);
    const item = Object(await get("/v1/models/ESRGAN_4x"));
    expect(item).toMatchObject({ category: "image", supported_features: ["upscaling"] });
    expect(item.providers.toSorted()).toEqual(["arli", "webui"]);
  });

  test.each([
    [{ upscaler_1: "ESRGAN_2x" }, "local", "covey/esrgan-thick"],
    [{ upscaler_1: "ESRGAN_4x", provider: { only: ["arli"] } }, "arli", "ESRGAN_4x"],
    [{ upscaler_1: "ESRGAN_4x", provider: { order: ["webui"] } }, "webui", "ESRGAN_4x"],
    [{ upscaler_1: "Nearest", provider: { only: ["webui"] } }, "webui", expect.any(String)],
    [{ provider: { ignore: ["local"] } }, expect.stringMatching(/arli|webui/), "ESRGAN_4x"],
    [{ model: "arli/ESRGAN_4x" }, "arli", "ESRGAN_4x"],
    [{ model: "webui/esrgan_4x" }, "webui", "ESRGAN_4x"],
    [
      { model: "covey/esrgan-medium", upscaler_1: "ESRGAN-medium_2x" },
      "local",
      "covey/esrgan-medium",
    ],
  ])("answers %j", async (fields, provider, model) => {
    const answer = await ask(fields);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-covey-provider")).toEqual(provider);
    expect(await answer.json()).toMatchObject({ model });
  });

  test("does what this machine's own can't: its 16 times as large are too many", async () => {
    const size = { resize_mode: 1, upscaling_resize_w: 16 * SIDE };
    const { answer } = await enlarged({ upscaler_1: "ESRGAN_4x", ...size });
    expect(answer.headers.get("x-covey-provider")).toMatch(/arli|webui|named/);
    const here = await ask({ upscaler_1: "ESRGAN_4x", ...size, provider: { only: ["local"] } });
    expect(here.status).toBe(422);
    expect(await here.json()).toMatchObject({ error: { param: "upscaling_resize_w" } });
  });

  test("the header x-covey-provider names one as well", async () => {
    const answer = await ask({}, undefined, {
      headers: { ...headers, "x-covey-provider": "arli" },
    });
    expect(answer.headers.get("x-covey-provider")).toBe("arli");
    expect(answer.status).toBe(200);
  });

  test.each([
    [{ upscaler_1: "Lanczos", provider: { only: ["arli"] } }, 422],
    [{ upscaler_1: "ESRGAN_8x", provider: { only: ["arli"] } }, 404],
    [{ model: "arli/ESRGAN_4x", upscaler_1: "Lanczos" }, 422],
    [{ model: "Qwen/Qwen2.5-72B-Instruct" }, 422],
    [{ upscaler_1: "Remacri_4x", provider: { only: "arli" } }, 422],
  ])("is not there for %j", async (fields, status) => {
    expect((await ask(fields)).status).toBe(status);
  });

  test("is only ours for what is wrong with a request: nobody else is asked to get round it", async () => {
    const asked = arli.requests.length + webui.requests.length;
    const second = { upscaler_2: "Remacri_4x", extras_upscaler_2_visibility: 1 };
    for (const fields of [second, { image: "aGVsbG8=" }]) {
      const answer = await ask({ upscaler_1: "ESRGAN_4x", ...fields });
      expect(answer.status).toBe(422);
      expect(await endedRow(covey, callIdOf(answer))).toMatchObject({ status: "refused" });
    }
    expect(arli.requests.length + webui.requests.length).toBe(asked);
  });

  test("is theirs when ours can't, unless the caller wants no other", async () => {
    const tight = await startCovey({
      toml: `[engine]\npreload = false\nmemory_budget = "200MB"\n[providers.arli]\nbase_url = "${arli.url}"\n`,
      env: { ARLI_API_KEY: FAKE_KEY },
    });
    try {
      await until(async () => {
        const answer = await fetch(`${tight.url}/v1/upscalers`);
        return (await answer.text()).includes("Remacri_4x") ? true : null;
      }, "the list is there");
      const image = await small();
      const asked = async (fields: object) =>
        post(`${tight.url}/v1/upscale-img`, { image, ...fields });
      const answer = await asked({});
      expect(answer.status).toBe(200);
      expect(answer.headers.get("x-covey-provider")).toBe("arli");
      // Ours is too big for that budget, and not even asked.
      const { attempts } = await endedRow(tight, callIdOf(answer));
      expect(attempts.map(({ provider }) => provider)).toEqual(["arli"]);
      const refused = await asked({ model: "esrgan-thick" });
      expect(refused.status).toBe(503);
      expect(refused.headers.get("x-should-retry")).toBe("false");
    } finally {
      await tight.close();
    }
  });

  test("answers no chat", async () => {
    const messages = [{ role: "user", content: "Hello" }];
    const answer = await post(
      `${covey.url}/v1/chat/completions`,
      { model: "Remacri_4x", messages },
      { headers },
    );
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain("use /v1/upscale-img");
  });
});

describe("what goes wrong there", () => {
  test.each([
    ["status-500_4x", 502],
    ["status-404_4x", 502],
    ["status-503_4x", 503],
    ["truncated_4x", 502],
    ["halfbase64_4x", 502],
    ["page_4x", 502],
    ["text_4x", 502],
    ["gif_4x", 502],
    ["none_4x", 502],
  ])("%s is told as a %d, and costs nothing", async (upscaler_1, status) => {
    const answer = await ask({ upscaler_1, provider: { only: ["arli"] } });
    expect(answer.status).toBe(status);
    const { error, detail } = Object(await answer.json());
    expect(error.message).toContain("'arli'");
    expect(detail).toBe(error.message);
    expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
      ...{ status: "failed", images: 0, pixels: 0, cost_nano_usd: 0, provider: "arli" },
    });
  });

  test("silence is a 504 after the provider's own time limit", async () => {
    const answer = await ask({ upscaler_1: "silent_4x" });
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ error: { code: "upstream_timeout" } });
  });

  test("and goes away is tried again", async () => {
    const { answer } = await enlarged({ upscaler_1: "once-500_4x" });
    const { attempts } = await endedRow(covey, callIdOf(answer));
    expect(attempts).toMatchObject([{ error: "upstream_error" }, { error: null }]);
  });

  test("at one provider is done at another that has the same upscaler", async () => {
    const wishes = { upscaler_1: "arlifails_4x", provider: { order: ["arli"] } };
    const { answer } = await enlarged(wishes);
    expect(answer.headers.get("x-covey-provider")).toBe("webui");
    const { attempts, images } = await endedRow(covey, callIdOf(answer));
    expect(attempts.map(({ provider }) => provider)).toEqual(["arli", "webui"]);
    expect(images).toBe(1);
  });

  test("an image that is none is refused before anybody is asked", async () => {
    const asked = arli.requests.length;
    for (const image of ["aGVsbG8=", "?", "https://example.com/a.png"]) {
      const answer = await ask({ upscaler_1: "Remacri_4x", image });
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ error: { param: "image" } });
    }
    expect(arli.requests.length).toBe(asked);
  });
});

test("when its client leaves, the provider's work is given up, and the image is charged", async () => {
  const client = new AbortController();
  const cancelled = arli.cancelled;
  const work = ask({ upscaler_1: "slow-30000_4x" }, undefined, { signal: client.signal });
  await until(() => (arli.open > 0 ? true : null), "it is asked");
  expect(await get("/v1/parallel-requests")).toMatchObject({ running: 1 });
  client.abort();
  await work.catch(() => undefined);
  await arli.untilCancelled(cancelled + 1);
  const row = await until(async () => {
    const rows = await covey.app.store.calls.listCalls({ limit: 3 });
    return rows.find(({ status }) => status === "cancelled") ?? null;
  }, "it is in the log");
  expect(row).toMatchObject({ images: 1, pixels: 0, cost_nano_usd: 21_000_000 });
});

test("a key may have so many images at once, wherever they are made", async () => {
  const { key } = await makeKey(covey, { plan: "few" });
  const own = { authorization: `Bearer ${key}` };
  const asked = await Promise.all(
    Array.from({ length: 8 }, () =>
      ask({ upscaler_1: "slow-700_4x" }, undefined, { headers: own }),
    ),
  );
  const statuses = asked.map(({ status }) => status).toSorted();
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 429]);
});
