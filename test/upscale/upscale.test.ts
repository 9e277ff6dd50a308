import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  ExtrasAnswer,
  NO_PARALLEL_LIMIT,
  Progress,
  UpscaleAnswer,
  UpscalerList,
} from "../../src/contract/upscale.ts";
import type { Raster } from "../../src/engines/upscale/raster.ts";
import { decode } from "../../src/images/decode.ts";
import { type EncodedType, encode } from "../../src/images/encode.ts";
import { imageFacts } from "../../src/images/facts.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { makeKey } from "../e2e/keys/made.ts";
import { callIdOf, endedRow, post, until } from "../e2e/wire.ts";
import { parseMetrics, sumOf } from "../prometheus.ts";
import { DRAWINGS } from "./drawings.ts";
import { likeness } from "./likeness.ts";

/** Upscaling through the whole of Covey, by the models that come with `npm install`. */

setDefaultTimeout(120_000);

const KEY = "sk-admin-fedcba9876543210fedcba98";
const headers = { authorization: `Bearer ${KEY}` };
const QUICK = "ESRGAN-medium_2x";

let covey: TestCovey;
beforeAll(async () => {
  const toml = '[engine]\npreload = false\n[plans.medium]\nmodels = ["covey/esrgan-medium"]\n';
  covey = await startCovey({ toml, env: { COVEY_ADMIN_KEY: KEY } });
});
afterAll(() => covey.close());

const drawing = (side: number): Raster => {
  const image = DRAWINGS["flat colours"]?.(side);
  if (image === undefined) throw new Error("no drawing");
  return image;
};

async function file(image: Raster, type: EncodedType = "image/png"): Promise<string> {
  const { channels, ...rest } = image;
  if (channels === 1) throw new Error("no colours");
  return (await encode({ channels, ...rest }, type)).toBase64();
}

const ask = (fields: object, path = "/v1/upscale-img", init: object = {}): Promise<Response> =>
  post(`${covey.url}${path}`, fields, { headers, ...init });

const get = async (path: string): Promise<unknown> =>
  (await fetch(`${covey.url}${path}`, { headers })).json();

async function enlarged(fields: object) {
  const answer = await ask(fields);
  expect(answer.status).toBe(200);
  const body = UpscaleAnswer.parse(await answer.json());
  const bytes = Uint8Array.fromBase64(body.image);
  return { body, bytes, image: await decode(bytes), id: callIdOf(answer) };
}

async function refusal(fields: object, path?: string) {
  const answer = await ask(fields, path);
  const body: unknown = await answer.json();
  return { status: answer.status, body, id: callIdOf(answer) };
}

test("by default it is ESRGAN, 4 times; Arli's slip of the pen means the same", async () => {
  const image = await file(drawing(24));
  const first = await enlarged({ image });
  expect(first.body.info).toMatchObject({
    ...{ upscaler: "ESRGAN_4x", scale_factor: 4, width: 96, height: 96 },
    ...{ model: "covey/esrgan-thick", format: "png" },
  });
  expect(first.body.images).toEqual([first.body.image]);
  expect(first.body.html_info).toContain("ESRGAN_4x");
  const second = await enlarged({
    image: `data:image/png;base64,${image}`,
    upscaler_1: "ESGAN_4x",
  });
  expect(second.body.info.upscaler).toBe("ESRGAN_4x");
  expect(second.body.image).toBe(first.body.image);
});

test.each([
  [{ upscaler_1: "ESRGAN_2x" }, 2],
  [{ upscaler_1: "ESRGAN_3x" }, 3],
  [{ upscaler_1: "ESRGAN_8x" }, 8],
  [{ upscaler_1: "esrgan-medium_8x" }, 8],
  [{ upscaler_1: QUICK, upscaling_resize: 2.5 }, 2.5],
  [{ upscaler_1: "Lanczos" }, 4],
  [{ upscaler_1: "Nearest", upscaling_resize: 3 }, 3],
  [{ model: "covey/esrgan-medium", upscaling_resize: 3 }, 3],
])("%j makes an image %d times as large, and the same picture", async (fields, factor) => {
  const { image, body } = await enlarged({ image: await file(drawing(24)), ...fields });
  expect([image.width, image.height]).toEqual([24 * factor, 24 * factor]);
  expect(body.info.scale_factor).toBe(factor);
  expect(likeness(image, drawing(24 * factor), 2).psnr).toBeGreaterThan(17);
});

test.each([
  ["image/png", "jpeg", "image/jpeg"],
  ["image/jpeg", "webp", "image/webp"],
  ["image/webp", "png", "image/png"],
] as const)("%s comes in, %s goes out", async (from, format, type) => {
  const image = await file(drawing(32), from);
  const { bytes } = await enlarged({ image, format, upscaler_1: QUICK });
  expect(imageFacts(bytes)).toMatchObject({ type, width: 64, height: 64 });
});

test("a large image is done in tiles, at whose borders nothing is to be seen", async () => {
  const small = drawing(300);
  const { image } = await enlarged({ image: await file(small), upscaler_1: QUICK });
  // Steps of brightness across each column; tiles are 150 pixels wide, 300 enlarged.
  const steps = Array.from({ length: image.width - 1 }, (_, x) => {
    let sum = 0;
    for (let y = 0; y < image.height; y++)
      for (let channel = 0; channel < 3; channel++) {
        const at = (y * image.width + x) * 3 + channel;
        sum += Math.abs((image.pixels[at + 3] ?? 0) - (image.pixels[at] ?? 0));
      }
    return sum;
  });
  const typical = steps.toSorted((one, other) => one - other)[Math.floor(steps.length * 0.9)] ?? 0;
  expect(steps[299]).toBeLessThan(typical * 1.2);
});

test("alpha is kept, and no colour bleeds from where nothing is seen", async () => {
  const side = 32;
  const pixels = new Uint8Array(side * side * 4);
  for (let at = 0; at < pixels.length; at += 4) {
    const inside = Math.hypot(((at / 4) % side) - 15.5, Math.floor(at / 4 / side) - 15.5) < 10;
    pixels.set(inside ? [30, 160, 220, 255] : [255, 0, 0, 0], at);
  }
  for (const upscaler_1 of ["ESRGAN_2x", "Lanczos"]) {
    const image = await file({ width: side, height: side, channels: 4, pixels });
    const answer = await enlarged({ image, upscaler_1, upscaling_resize: 2 });
    expect(answer.image.channels).toBe(4);
    const [corner, centre] = [0, (32 * 64 + 32) * 4].map((at) => answer.image.pixels[at + 3]);
    expect([corner, centre]).toEqual([0, 255]);
    for (let at = 0; at < answer.image.pixels.length; at += 4)
      if ((answer.image.pixels[at + 3] ?? 0) > 16) expect(answer.image.pixels[at]).toBeLessThan(60);
  }
});

test("base64 of URLs and a format by its usual other names are understood", async () => {
  const image = await file(drawing(16), "image/webp");
  const safe = image.replaceAll("+", "-").replaceAll("/", "_");
  expect(safe).not.toBe(image);
  const { body, bytes } = await enlarged({ image: safe, upscaler_1: "None", format: "JPG" });
  expect(body.info).toMatchObject({ format: "jpeg", width: 16 });
  expect(imageFacts(bytes)?.type).toBe("image/jpeg");
});

describe("the web UI's path", () => {
  const path = "/sdapi/v1/extra-single-image";

  test("leaves an image as it is unless it is told what to do", async () => {
    const answer = ExtrasAnswer.parse(
      await (await ask({ image: await file(drawing(16)) }, path)).json(),
    );
    expect(JSON.parse(answer.info)).toMatchObject({ upscaler: "None", width: 16 });
    expect(answer.parameters).toMatchObject({ upscaling_resize: 2 });
    const { pixels } = await decode(Uint8Array.fromBase64(answer.image));
    expect(Buffer.compare(pixels, drawing(16).pixels)).toBe(0);
  });

  test("'model' picks the model, whose own network does it, and the path's other defaults stay", async () => {
    const image = await file(drawing(16));
    for (const [model, upscaler] of [
      ["covey/esrgan-medium", "ESRGAN-medium_4x"],
      ["esrgan-thick", "ESRGAN_4x"],
    ]) {
      const answer = await ask({ image, model }, path);
      const body = ExtrasAnswer.parse(await answer.json());
      const canonical = `covey/${model?.replace("covey/", "")}`;
      // Twice as large, as this path does without a word: by the network for 2 times.
      const info = { model: canonical, upscaler, width: 32, height: 32, scale_factor: 2 };
      expect(JSON.parse(body.info)).toMatchObject(info);
      expect(answer.headers.get("x-covey-provider")).toBe("local");
      expect(await endedRow(covey, callIdOf(answer))).toMatchObject({ model: canonical });
    }
    const other = await ask({ image, model: "covey/esrgan-medium", upscaler_1: "ESRGAN_4x" }, path);
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ error: { param: "upscaler_1" } });
  });

  test("enlarges to cover a size and crops; two upscalers are laid over each other", async () => {
    const image = await file(drawing(24));
    const size = { resize_mode: 1, upscaling_resize_w: 40, upscaling_resize_h: 30 };
    const of = async (fields: object) => {
      const answer = await ask({ image, ...size, ...fields }, path);
      return decode(Uint8Array.fromBase64(ExtrasAnswer.parse(await answer.json()).image));
    };
    const nearest = await of({ upscaler_1: "Nearest" });
    expect([nearest.width, nearest.height]).toEqual([40, 30]);
    const covering = await of({ upscaler_1: "Lanczos", upscaling_crop: false });
    expect([covering.width, covering.height]).toEqual([40, 40]);
    const lanczos = await of({ upscaler_1: "Lanczos" });
    const both = await of({
      ...{ upscaler_1: "Nearest", upscaler_2: "Lanczos", extras_upscaler_2_visibility: 0.5 },
    });
    for (const [at, value] of both.pixels.entries()) {
      const mean = ((nearest.pixels[at] ?? 0) + (lanczos.pixels[at] ?? 0)) / 2;
      expect(Math.abs(value - mean)).toBeLessThanOrEqual(0.5);
    }
  });
});

describe("refused is", () => {
  test.each([
    ["a factor beyond 8", { upscaling_resize: 9 }, "upscaling_resize"],
    ["what can't be done", { gfpgan_visibility: 0.5 }, "gfpgan_visibility"],
    ["no base64", { image: "?" }, "image"],
    ["no image", { image: "aGVsbG8=" }, "image"],
    ["a URL", { image: "https://example.com/a.png" }, "image"],
    [
      "another model's second upscaler",
      { upscaler_2: QUICK, extras_upscaler_2_visibility: 1 },
      "upscaler_2",
    ],
    ["a size 16 times as large", { resize_mode: 1, upscaling_resize_w: 256 }, "upscaling_resize_w"],
    ["a model that writes", { model: "tinyllama" }, "model"],
  ])("%s: 422, with its field", async (_, fields, param) => {
    const { status, body, id } = await refusal({ image: await file(drawing(16)), ...fields });
    expect({ status, body }).toMatchObject({
      status: 422,
      body: {
        error: { type: "invalid_request_error", param, code: null },
        detail: expect.any(String),
      },
    });
    expect(await endedRow(covey, id)).toMatchObject({ status: "refused", http_status: 422 });
  });

  test("an image whose enlargement is too large, before it is enlarged", async () => {
    const pixels = new Uint8Array(2000 * 1500 * 3);
    const image = await file({ width: 2000, height: 1500, channels: 3, pixels });
    const { status, body } = await refusal({ image });
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { error: { param: "upscaling_resize" } },
    });
    expect(JSON.stringify(body)).toContain("at most 33.5 million pixels");
  });

  test("a side that such a file can't have, with the side, and nothing of it is said of the model", async () => {
    const pixels = new Uint8Array(4200 * 30 * 3);
    const image = await file({ width: 4200, height: 30, channels: 3, pixels });
    const webp = { image, upscaler_1: "Lanczos", format: "webp" };
    for (let times = 0; times < 6; times++) {
      const { status, body } = await refusal({ ...webp, upscaling_resize: 4 });
      expect({ status, body }).toMatchObject({ status: 422, body: { error: { param: "format" } } });
      expect(JSON.stringify(body)).toContain("16800 pixels wide, and webp has at most 16383");
    }
    expect((await enlarged({ ...webp, upscaling_resize: 2 })).body.info.width).toBe(8400);
  });

  test("an image that would keep the model from everybody for minutes, with the size that it takes", async () => {
    const pixels = new Uint8Array(2000 * 1500 * 3);
    const image = await file({ width: 2000, height: 1500, channels: 3, pixels });
    const { status, body } = await refusal({ image, upscaler_1: "ESRGAN_2x" });
    expect({ status, body }).toMatchObject({ status: 422, body: { error: { param: "image" } } });
    expect(JSON.stringify(body)).toContain("at most 2.2 million pixels");
  });

  test.each([
    ["does not exist", "x/y", 404],
    ["enlarges nothing", "covey/ocr", 422],
  ])("a model that %s is told as the model, where one was named", async (_, model, status) => {
    const image = await file(drawing(16));
    for (const path of ["/v1/upscale-img", "/sdapi/v1/extra-single-image"]) {
      const refused = await refusal({ image, model }, path);
      expect(refused).toMatchObject({ status, body: { error: { param: "model" } } });
    }
  });

  test("an upscaler that is not there: 422, with those that are", async () => {
    const { status, body } = await refusal({ image: "x", upscaler_1: "SwinIR_4x" });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain("Lanczos, Nearest");
  });
});

test("an image that is left as it is may be of any size, whatever factor is named beside it", async () => {
  const pixels = new Uint8Array(3000 * 1500 * 3);
  const image = await file({ width: 3000, height: 1500, channels: 3, pixels });
  const { body } = await enlarged({ image, upscaler_1: "None", upscaling_resize: 8 });
  expect(body.info).toMatchObject({ width: 3000, height: 1500, scale_factor: 1 });
});

test("the list has kernels and networks, as the web UIs have it", async () => {
  const list = UpscalerList.parse(await get("/v1/upscalers"));
  expect(list.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["None", "Lanczos", "Nearest", "ESRGAN_4x", "ESRGAN_2x", QUICK]),
  );
  expect(list.find(({ name }) => name === "ESRGAN_4x")).toMatchObject({
    scale: 4,
    model_path: null,
  });
  expect(await get("/sdapi/v1/upscalers")).toEqual(list);
});

test("fields that do nothing here are told", async () => {
  const image = await file(drawing(16));
  const answer = await ask({ image, upscaler_1: "Nearest", show_extras_results: true, foo: 1 });
  expect(answer.headers.get("x-covey-dropped-params")).toBe("show_extras_results, foo");
  const path = "/sdapi/v1/extra-single-image";
  const second = { upscaler_2: "Lanczos", extras_upscaler_2_visibility: 1 };
  for (const [fields, dropped] of [
    [second, "upscaler_2, extras_upscaler_2_visibility"],
    [{ upscaler_1: "None", upscaling_resize: 2, quality: 5 }, "upscaling_resize, quality"],
    // The path's own factor is nobody's wish.
    [{ upscaler_1: "Nearest", resize_mode: 1, upscaling_resize_w: 40 }, null],
    [{ upscaler_1: "None" }, null],
  ] as const) {
    const { headers } = await ask({ image, ...fields }, path);
    expect(headers.get("x-covey-dropped-params")).toBe(dropped);
  }
});

test.each([{ models: ["covey/esrgan-medium"] }, { plan: "medium" }])(
  "a key for some of the models is given those where it names none, and lists no others: %j",
  async (fields) => {
    const { key } = await makeKey(covey, fields);
    const headers = { authorization: `Bearer ${key}` };
    const list = UpscalerList.parse(
      await (await fetch(`${covey.url}/v1/upscalers`, { headers })).json(),
    );
    expect(new Set(list.map(({ model_name }) => model_name))).toEqual(
      new Set([null, "covey/esrgan-medium"]),
    );
    const image = await file(drawing(16));
    const askAs = async (fields: object, path = "/v1/upscale-img") => {
      const answer = await ask({ image, ...fields }, path, { headers });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await askAs({ upscaler_1: "Lanczos" })).toMatchObject({ status: 200 });
    expect(await askAs({}, "/sdapi/v1/extra-single-image")).toMatchObject({ status: 200 });
    expect(await askAs({})).toMatchObject({
      status: 200,
      body: { info: { upscaler: "ESRGAN-medium_4x" } },
    });
    expect(await askAs({ upscaler_1: "ESRGAN_4x" })).toMatchObject({ status: 403 });
  },
);

test("while it runs its progress and its place are told; when its client leaves it ends, as logged", async () => {
  const idle = { running: 0 };
  expect(await get("/v1/parallel-requests")).toMatchObject(idle);
  const client = new AbortController();
  const image = await file(drawing(400));
  const work = ask({ image }, "/v1/upscale-img", { signal: client.signal });
  const seen = await until(async () => {
    const told = Progress.parse(await get("/sdapi/v1/progress"));
    return told.progress > 0 ? told : null;
  }, "it is under way");
  expect(seen).toMatchObject({ state: { job_count: 1, job: "covey/esrgan-thick" } });
  expect(await get("/v1/parallel-requests")).toMatchObject({ running: 1 });
  client.abort();
  expect(work).rejects.toThrow();
  await work.catch(() => undefined);
  await until(async () => {
    const { running } = Object(await get("/v1/parallel-requests"));
    return running === 0 ? true : null;
  }, "its place is free");
  expect(Progress.parse(await get("/sdapi/v1/progress")).progress).toBe(0);
  const row = await until(async () => {
    const rows = await covey.app.store.calls.listCalls({ limit: 5 });
    return rows.find(({ status }) => status === "cancelled") ?? null;
  }, "it is in the log");
  // What was done until then, of 1600 × 1600.
  expect(row).toMatchObject({ images: 1, cost_nano_usd: 0 });
  expect(row.pixels).toBeGreaterThan(0);
  expect(row.pixels).toBeLessThan(1600 * 1600);
});

test("the call is in the log and in the metrics, with its image and its pixels", async () => {
  const counted = async () => {
    const text = await (await fetch(`${covey.url}/metrics`, { headers })).text();
    const labels = { model: "covey/esrgan-medium", provider: "local" };
    return ["covey_images_total", "covey_image_pixels_total"].map((name) =>
      sumOf(parseMetrics(text), name, labels),
    );
  };
  const [images = 0, pixels = 0] = await counted();
  const { id } = await enlarged({ image: await file(drawing(20)), upscaler_1: QUICK });
  expect(await endedRow(covey, id)).toMatchObject({
    ...{ endpoint: "/v1/upscale-img", model: "covey/esrgan-medium", status: "completed" },
    ...{ images: 1, pixels: 1600, prompt_tokens: 0, cost_nano_usd: 0 },
  });
  expect(await counted()).toEqual([images + 1, pixels + 1600]);
});

test("how many images may run at once is told, and how many are left: 6 without a key", async () => {
  const toml = "[plans.two]\nconcurrency = 2\n";
  const plain = await startCovey({ toml, env: { COVEY_ADMIN_KEY: KEY } });
  const told = async (fields: object) => {
    const { headers } = await makeKey(plain, fields);
    return (await fetch(`${plain.url}/v1/parallel-requests`, { headers })).json();
  };
  try {
    // Whole numbers, as Arli AI's: its clients compare them.
    expect(await told({})).toMatchObject({
      ...{ parallel_requests: NO_PARALLEL_LIMIT, remaining: NO_PARALLEL_LIMIT },
      message: "There is no limit of parallel requests for images",
    });
    // No more images than requests of any kind.
    expect(await told({ plan: "two" })).toMatchObject({ parallel_requests: 2, remaining: 2 });
    const body = await (await fetch(`${plain.url}/v1/parallel-requests`)).json();
    expect(body).toMatchObject({
      ...{ parallel_requests: 6, remaining: 6 },
      message: "You can run up to 6 parallel requests",
    });
  } finally {
    await plain.close();
  }
});
