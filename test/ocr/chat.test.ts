import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import sharp from "sharp";
import { ChatChunk } from "../../src/contract/chat.ts";
import { SseParser } from "../../src/lib/sse-parse.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { callIdOf, endedRow } from "../e2e/wire.ts";
import { isHere } from "../needs.ts";
import { openBrowser } from "./browser.ts";
import { characterErrorRate } from "./character-errors.ts";
import { turned } from "./damage.ts";
import { type Document, screenshot } from "./documents.ts";
import { type Font, printed } from "./pages.ts";
import { readBack, userMessage } from "./reading.ts";

const FINE: Font = { family: "Arimo", pack: "arimo" };

/** `covey/ocr` as a client of the chat endpoint meets it. */
describe.if(isHere("chromium"))("a chat with covey/ocr", () => {
  const TIMEOUT = 60_000;
  let covey: TestCovey;
  let shot: Uint8Array;
  /** So many small lines that they take minutes. */
  let dense: Uint8Array;
  let document: Document;

  beforeAll(async () => {
    // On a busy machine looking for text takes longer than a status is waited for.
    covey = await startCovey({ toml: '[stream]\nfirst_byte_delay = "60s"\n' });
    document = await screenshot();
    const browser = await openBrowser();
    shot = await browser.shoot(document.html, document);
    // In two columns: of a line that is very long less is seen.
    const half = "to be or not to be that is the question ".repeat(5);
    const lines = Array<string>(140).fill(half + "\u00a0".repeat(12) + half);
    const close = "<style>p { line-height: 1.25 !important }</style>";
    dense = await browser.shoot((await printed(lines, FINE, 11)) + close, { width: 2_000 });
    await browser.close();
  }, TIMEOUT);
  afterAll(() => covey.close());

  const stream = async (more: object) => {
    const response = await fetch(`${covey.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "covey/ocr",
        stream: true,
        stream_options: { include_usage: true },
        messages: [userMessage([shot])],
        ...more,
      }),
    });
    const events = new SseParser().push(await response.bytes());
    return events
      .filter((event) => event !== "[DONE]")
      .map((event) => ChatChunk.parse(JSON.parse(event)));
  };

  test(
    "an image comes back as its text, with tokens, images and pixels counted",
    async () => {
      const { body } = await readBack(covey, [shot]);
      const [width, height] = [document.width, 216];
      expect(body).toMatchObject({
        object: "chat.completion",
        model: "covey/ocr",
        choices: [
          { message: { role: "assistant", content: document.text }, finish_reason: "stop" },
        ],
        usage: {
          prompt_tokens: Math.ceil((width * height) / 2_048),
          completion_tokens: document.text.length,
          images: 1,
          pixels: width * height,
        },
      });
      expect(JSON.stringify(body)).not.toContain('"ocr":{');
    },
    TIMEOUT,
  );

  test(
    "a stream brings it line by line, and the same text",
    async () => {
      const chunks = await stream({ ocr: { boxes: true } });
      const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
      const pieces = deltas.flatMap(({ content }) => content || []);
      expect(pieces.join("")).toBe(document.text);
      expect(pieces.length).toBeGreaterThan(1);
      expect(deltas.at(-1)).toMatchObject({ ocr: { images: [{ width: document.width }] } });
      expect(chunks.at(-1)?.usage).toMatchObject({ completion_tokens: document.text.length });
    },
    TIMEOUT,
  );

  test(
    "boxes are told when they are asked for: where each line stands, from where its text begins",
    async () => {
      const { body } = await readBack(covey, [await turned(180)(shot)], { ocr: { boxes: true } });
      const lines = Object(body).choices[0].message.ocr.images[0].lines;
      expect(lines).toHaveLength(document.text.split("\n").length);
      expect(lines[0].text).toBe("Inbox (3 unread)");
      const { box, confidence } = lines[0];
      expect(confidence).toBeGreaterThan(0.9);
      // Upside down the header is below, and begins at the right.
      const [[left, top], [right]] = box;
      expect(top).toBeGreaterThan(170);
      expect(left).toBeGreaterThan(right);
    },
    TIMEOUT,
  );

  test(
    "white letters on nothing are read as black ones on nothing are",
    async () => {
      const { data: ink, info } = await sharp(shot)
        .flatten({ background: "white" })
        .greyscale()
        .negate()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const { width, height } = info;
      for (const colour of [255, 0]) {
        const pixels = new Uint8Array(4 * width * height).fill(colour);
        ink.forEach((alpha, at) => {
          pixels[4 * at + 3] = alpha;
        });
        const letters = sharp(pixels, { raw: { width, height, channels: 4 } });
        const { text } = await readBack(covey, [await letters.png().toBuffer()]);
        expect(characterErrorRate(text, document.text)).toBeLessThan(0.02);
      }
    },
    TIMEOUT,
  );

  test(
    "several images are read in their order, and max_tokens ends the answer",
    async () => {
      const two = await readBack(covey, [shot, shot]);
      expect(two.text).toBe(`${document.text}\n\n${document.text}`);
      const { text, body } = await readBack(covey, [shot, shot], { max_tokens: 20 });
      expect(text).toBe(document.text.slice(0, 20));
      expect(body).toMatchObject({
        choices: [{ finish_reason: "length" }],
        usage: { completion_tokens: 20 },
      });
    },
    TIMEOUT,
  );

  test("what can't be read is refused, with its place and what to do", async () => {
    const nothing = await readBack(covey, []);
    expect(nothing.status).toBe(400);
    const cut = await readBack(covey, [shot, shot.subarray(0, shot.length / 2)]);
    expect(cut.status).toBe(400);
    expect(cut.body).toMatchObject({
      error: { param: "messages[0].content[1].image_url.url", type: "invalid_request_error" },
    });
    const response = await fetch(`${covey.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "covey/ocr", messages: [{ role: "user", content: "Hello" }] }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { param: "messages", message: expect.stringContaining("image_url") },
    });
  });

  test(
    "more text than is read at once is refused, by its place and before any of it is read",
    async () => {
      const { status, body } = await readBack(covey, [dense], { stream: true });
      expect(status).toBe(400);
      const param = "messages[0].content[0].image_url.url";
      const message = expect.stringMatching(/more text than is read at once, in \d+ places/);
      expect(body).toMatchObject({ error: { param, message } });
      // Nobody is kept waiting.
      expect((await readBack(covey, [shot])).text).toBe(document.text);
    },
    TIMEOUT,
  );

  test("nothing is read for nothing: where the last image can't be, the stream is refused before it begins", async () => {
    const response = await fetch(`${covey.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...{ model: "covey/ocr", stream: true },
        messages: [userMessage([shot, shot.subarray(0, shot.length / 2)])],
      }),
    });
    expect(response.status).toBe(400);
    await response.text();
    expect(await endedRow(covey, callIdOf(response))).toMatchObject({
      status: "refused",
      images: 0,
    });
  }, 60_000);

  test("between two images of one request others have their turn", async () => {
    const ended: string[] = [];
    const many = readBack(covey, Array(12).fill(shot)).then(() => ended.push("twelve"));
    await until(async () => {
      const { request_count: running } = Object(
        await (await fetch(`${covey.url}/account/concurrency`)).json(),
      );
      return running === 1;
    });
    await readBack(covey, [shot]).then(() => ended.push("one"));
    await many;
    expect(ended).toEqual(["one", "twelve"]);
  }, 60_000);

  test("an answer whose process ends in the middle goes on, and counts as if it had not", async () => {
    const tall = await sharp(shot)
      .flatten({ background: "white" })
      .extend({ bottom: 1_300, background: "white" })
      .composite([1, 2, 3, 4].map((n) => ({ input: Buffer.from(shot), top: 250 * n, left: 0 })))
      .png()
      .toBuffer();
    const body = JSON.stringify({
      ...{ model: "covey/ocr", stream: true, stream_options: { include_usage: true } },
      ...{ ocr: { boxes: true }, messages: [userMessage([tall])] },
    });
    const read = async (onText: () => void) => {
      const headers = { "content-type": "application/json" };
      const url = `${covey.url}/v1/chat/completions`;
      const response = await fetch(url, { method: "POST", headers, body });
      const parser = new SseParser();
      const chunks: ChatChunk[] = [];
      for await (const bytes of response.body ?? [])
        for (const event of parser.push(bytes)) {
          if (event === "[DONE]") continue;
          const chunk = ChatChunk.parse(JSON.parse(event));
          if (chunk.choices.some(({ delta }) => delta.content)) onText();
          chunks.push(chunk);
        }
      const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
      const row = await endedRow(covey, callIdOf(response));
      const { prompt_tokens, completion_tokens, images, pixels, attempts } = row;
      return {
        text: deltas.map(({ content }) => content ?? "").join(""),
        boxes: deltas.at(-1)?.ocr,
        usage: chunks.at(-1)?.usage,
        row: { prompt_tokens, completion_tokens, images, pixels },
        attempts,
      };
    };
    const { attempts: one, ...whole } = await read(() => undefined);
    const pid = covey.app.local.snapshot().find(({ model }) => model === "covey/ocr")?.pid;
    let ended = false;
    const { attempts: two, ...resumed } = await read(() => {
      if (ended || typeof pid !== "number") return;
      ended = true;
      process.kill(pid, "SIGKILL");
    });
    expect(ended).toBe(true);
    expect(resumed).toEqual(whole);
    expect([one, two].map((attempts) => Object(attempts).length)).toEqual([1, 2]);
  }, 60_000);

  test("a client that leaves ends the reading", async () => {
    const leaving = new AbortController();
    const body = JSON.stringify({
      model: "covey/ocr",
      messages: [userMessage(Array(16).fill(shot))],
    });
    const headers = { "content-type": "application/json" };
    const asked = fetch(`${covey.url}/v1/chat/completions`, {
      ...{ method: "POST", headers, body, signal: leaving.signal },
    });
    const running = async () => {
      const response = await fetch(`${covey.url}/account/concurrency`);
      return Object(await response.json()).request_count;
    };
    await until(async () => (await running()) === 1);
    leaving.abort();
    await expect(asked).rejects.toThrow();
    await until(async () => (await running()) === 0);
    // Its place is free: the next one is answered.
    expect((await readBack(covey, [shot])).text).toBe(document.text);
  }, 60_000);

  test(
    "the other endpoints say where such a model is asked",
    async () => {
      const response = await fetch(`${covey.url}/v1/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "covey/ocr", prompt: "Hello" }),
      });
      expect(response.status).toBe(400);
      expect(JSON.stringify(await response.json())).toContain("/v1/chat/completions");
    },
    TIMEOUT,
  );

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await Bun.sleep(5);
  }
});
