import { afterAll, beforeAll, expect, test } from "bun:test";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { pngOf } from "../images.ts";
import { FAKE_KEY, fakeConfig, post } from "./wire.ts";

/** What an image may be is the operator's to say, for everything that takes images. */

const IMAGES = `[images]
max_bytes = "2KB"
max_pixels = 10_000
max_aspect = 3
max_request_bytes = "3KB"
`;

let upstream: FakeUpstream;
let covey: TestCovey;
beforeAll(async () => {
  upstream = fakeUpstream();
  covey = await startCovey({
    toml: fakeConfig(upstream, ["plain"], IMAGES),
    env: { FAKE_KEY },
  });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

const BAD = {
  "too many pixels": [pngOf(101, 100), "at most 0.01 million pixels"],
  "too many bytes": [Buffer.concat([pngOf(50, 50)], 2_001), "larger than 0.002 MB"],
  "too long a side": [pngOf(80, 20), "at most 3 times the other"],
} as const;

const uri = (file: Buffer) => `data:image/png;base64,${file.toString("base64")}`;
const part = (file: Buffer) => ({ type: "image_url", image_url: { url: uri(file) } });
const asking = (model: string, ...files: Buffer[]) =>
  post(`${covey.url}/v1/chat/completions`, {
    ...{ model, messages: [{ role: "user", content: files.map(part) }] },
  });

test.each(Object.entries(BAD))("%s, wherever it is sent", async (_, [file, why]) => {
  // The provider is on a private address: it gets no image that was not looked at.
  for (const model of ["covey/ocr", "plain"]) {
    const answer = await asking(model, file);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: {
        message: expect.stringContaining(why),
        param: "messages[0].content[0].image_url.url",
      },
    });
  }
  const enlarged = await post(`${covey.url}/v1/upscale-img`, { image: file.toString("base64") });
  expect(enlarged.status).toBe(422);
  expect(await enlarged.json()).toMatchObject({
    error: { message: expect.stringContaining(why), param: "image" },
  });
});

test("several that are too many bytes together, told of the one that is too many", async () => {
  const file = Buffer.concat([pngOf(50, 50)], 1_400);
  for (const model of ["covey/ocr", "plain"]) {
    const answer = await asking(model, file, file, file);
    expect(await answer.json()).toMatchObject({
      error: {
        message: expect.stringContaining("larger than 0.003 MB together"),
        param: "messages[0].content[2].image_url.url",
      },
    });
  }
});

test("of several pictures each is named by its place, the first too; one alone has none", async () => {
  const refused = async (image: string | string[]) => {
    const answer = await post(`${covey.url}/api/ocr`, { image });
    expect(answer.status).toBe(400);
    return Object(await answer.json()).error;
  };
  const [good, bad] = [uri(pngOf(40, 40)), uri(pngOf(80, 20))];
  expect(await refused([bad, good])).toMatchObject({
    param: "image[0]",
    message: expect.stringContaining("Invalid value for 'image[0]'"),
  });
  expect(await refused([good, bad])).toMatchObject({ param: "image[1]" });
  expect(await refused(bad)).toMatchObject({ param: "image" });
});
