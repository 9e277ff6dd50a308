import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chatBody, frames, post, readStream } from "./e2e/wire.ts";
import { toolArguments } from "./fake-said.ts";
import { fakeTls } from "./fake-tls.ts";
import { type FakeUpstream, fakeUpstream, NOT_A_PREFIX, storyFor } from "./fake-upstream.ts";

/** The tests' own upstream does what its table says, so that a fault test can't pass for want of the fault. */

const TEXT = "Tell me about quails.";
const STORY = storyFor(TEXT, 40);

let upstream: FakeUpstream;
beforeAll(() => {
  upstream = fakeUpstream();
});
afterAll(() => upstream.close());

const ask = (model: string, fields: object = {}, signal?: AbortSignal) =>
  post(
    `${upstream.url}/chat/completions`,
    chatBody(model, TEXT, fields),
    signal === undefined ? {} : { signal },
  );
const streamed = async (model: string, fields: object = {}) =>
  await readStream(await ask(model, { stream: true, ...fields }));
const begunWith = (text: string) => ({
  messages: [
    { role: "user", content: TEXT },
    { role: "assistant", content: text },
  ],
  continue_final_message: true,
});

describe("a story", () => {
  test("is the same each time, streamed and whole, and has all kinds of characters", async () => {
    const whole = Object(await (await ask("story-40")).json());
    expect(whole).toMatchObject({
      choices: [{ message: { content: STORY }, finish_reason: "stop" }],
    });
    const { text, done, chunks } = await streamed("story-40", {
      stream_options: { include_usage: true },
    });
    expect([text, done, chunks.at(-1)?.usage]).toEqual([STORY, true, whole.usage]);
    const long = storyFor("anything", 200);
    for (const kind of [/\p{Emoji_Presentation}/u, /\p{Script=Han}/u, /\n/])
      expect(long).toMatch(kind);
  });

  test("goes on after every beginning of it", async () => {
    for (let i = 0; i <= STORY.length; i += 7) {
      const begun = [...STORY].slice(0, i).join("");
      const { text } = await streamed("story-40", begunWith(begun));
      expect(begun + text).toBe(STORY);
    }
    expect((await streamed("story-40", begunWith("Something else"))).text).toBe(NOT_A_PREFIX);
    const trimmed = await streamed(
      "trims-story-40",
      begunWith(STORY.slice(0, STORY.indexOf(" ") + 1)),
    );
    expect(trimmed.text).toStartWith(" ");
  });

  test("goes on after a prompt that ends with its beginning, whatever template it was rendered with", async () => {
    const prompt = `<|user|>\n${TEXT}</s>\n<|assistant|>\n${STORY.slice(0, 30)}`;
    const answer = await post(`${upstream.url}/completions`, { model: "story-40", prompt });
    expect(await answer.json()).toMatchObject({ choices: [{ text: STORY.slice(30) }] });
  });

  test("ends at max_tokens and before a stop string that spans pieces", async () => {
    const short = await (await ask("story-40", { max_tokens: 5 })).json();
    expect(short).toMatchObject({
      choices: [{ finish_reason: "length" }],
      usage: { completion_tokens: 5 },
    });
    const stop = STORY.slice(21, 31);
    expect((await streamed("story-40", { stop: [stop] })).text).toBe(
      STORY.slice(0, STORY.indexOf(stop)),
    );
  });
});

test("random answers differ, and go on in words of their own", async () => {
  const texts = [await streamed("random-10"), await streamed("random-10")].map(({ text }) => text);
  expect(texts[0]).not.toBe(texts[1]);
  expect((await streamed("random-10", begunWith("I say"))).text).toStartWith(" ");
});

test("tool calls come in pieces that make up the arguments", async () => {
  const { chunks } = await streamed("toolstory");
  const calls = chunks.flatMap(({ choices }) =>
    choices.flatMap(({ delta }) => Object(delta).tool_calls ?? []),
  );
  const text = (index: number) =>
    calls.map((call) => (call.index === index ? call.function.arguments : "")).join("");
  expect([text(0), text(1)]).toEqual([...toolArguments(TEXT)]);
  expect(calls.filter((call) => call.id !== undefined)).toHaveLength(2);
});

describe("faults", () => {
  const CUTS = ["dies-4", "halfevent-4", "dies-0"];
  test.each(CUTS)("%s breaks the connection, streamed and whole", async (model) => {
    const broken = { code: "ECONNRESET" };
    await expect(
      ask(model, { stream: true }).then((answer) => answer.text()),
    ).rejects.toMatchObject(broken);
    await expect(ask(model).then((answer) => answer.text())).rejects.toMatchObject(broken);
  });

  test("reset has no headers", async () => {
    await expect(ask("reset")).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("stalls keeps the socket open, and sees the client leave", async () => {
    const leaving = new AbortController();
    const before = upstream.cancelled;
    const answer = await ask("stalls-3", { stream: true }, leaving.signal);
    let seen = 0;
    for await (const _ of frames(answer)) if (++seen === 3) break;
    leaving.abort();
    await upstream.untilCancelled(before + 1);
    expect(upstream.requests.at(-1)?.ended?.how).toBe("left");
  });

  test("silence sees the client leave too", async () => {
    const leaving = new AbortController();
    const before = upstream.cancelled;
    const asked = upstream.requests.length;
    ask("silence", {}, leaving.signal).catch(() => undefined);
    while (upstream.requests.length === asked) await Bun.sleep(1);
    leaving.abort();
    await upstream.untilCancelled(before + 1);
  });

  test("the milder ones", async () => {
    const raw = async (model: string) => await (await ask(model, { stream: true })).text();
    const lines = async (model: string) => (await raw(model)).split("\n\n");
    expect(await raw("nodone")).not.toContain("[DONE]");
    expect(await raw("nofinish")).not.toContain('"stop"');
    expect(await lines("ends-4")).toHaveLength(5);
    expect((await lines("inband-2"))[2]).toStartWith('data: {"error":');
    expect(await raw("inbandchunk-2")).toContain('"finish_reason":"error"');
    expect((await streamed("slowtoken-250")).comments).toBe(3);
    await expect(streamed("malformed-3")).rejects.toThrow();
    expect(await (await ask("wrongmodel")).json()).toMatchObject({ model: "somebody/else-7b" });
    expect(await (await ask("negativeusage")).json()).toMatchObject({
      usage: { prompt_tokens: -5 },
    });
    expect((await raw("hugechunk-1")).length).toBeGreaterThan(1_000_000);
    await expect((await ask("truncatedjson")).json()).rejects.toThrow();
  });

  test("statuses that pass", async () => {
    const statuses = async (model: string, times: number) => {
      const seen: number[] = [];
      for (let i = 0; i < times; i++) seen.push((await ask(model)).status);
      return seen;
    };
    expect(await statuses("once-500", 3)).toEqual([500, 200, 200]);
    expect(await statuses("flapping-3", 6)).toEqual([500, 500, 200, 500, 500, 200]);
    expect(await statuses("contextlength-llamacpp", 1)).toEqual([400]);
    expect(await statuses("prefillrefused", 1)).toEqual([200]);
    expect((await ask("prefillrefused", begunWith("x"))).status).toBe(400);
    expect(upstream.asked(TEXT, "once-500")).toBe(3);
  });

  test("a certificate that signed itself is not accepted", async () => {
    const tls = fakeTls();
    await expect(fetch(tls.url)).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    await tls.close();
  });
});
