import { expect, test } from "bun:test";
import { forSeeds, type Seeded } from "../../../test/seeded.ts";
import type { StreamEvent } from "../../types.ts";
import { StopCut } from "./stop-cut.ts";
import { Transcript } from "./transcript.ts";

type Finish = "stop" | "length" | null;

const piece = (chat: boolean, content: string, finish_reason: Finish): StreamEvent =>
  chat
    ? { choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason }] }
    : { choices: [{ index: 0, text: content, logprobs: null, finish_reason }] };

interface Shown {
  readonly text: string;
  readonly finish: Finish;
}

/** What a reader sees of these pieces, the last of which ends with `length`. */
function shown(stops: readonly string[], pieces: readonly string[], chat: boolean): Shown {
  const cut = new StopCut(stops);
  const seen = new Transcript();
  let finish: Finish = null;
  for (const [n, text] of pieces.entries()) {
    const event = cut.cut(piece(chat, text, n === pieces.length - 1 ? "length" : null));
    if (event === null) continue;
    seen.add(event);
    const reason = event.choices[0]?.finish_reason;
    if (reason === "stop" || reason === "length") finish = reason;
    if (cut.stopped) break;
  }
  return { text: seen.choices.get(0)?.text ?? "", finish };
}

/** The text up to the first stop string that is complete. */
function reference(stops: readonly string[], text: string): Shown {
  for (let end = 1; end <= text.length; end++) {
    const begun = text.slice(0, end);
    const found = stops.filter((stop) => begun.endsWith(stop)).map((stop) => stop.length);
    if (found.length > 0) return { text: begun.slice(0, end - Math.max(...found)), finish: "stop" };
  }
  return { text, finish: "length" };
}

const randomText = (random: Seeded, most: number) =>
  Array.from({ length: random.below(most) }, () => random.pick(["a", "b", "\n", "é", "😀"])).join(
    "",
  );

function randomStops(random: Seeded): string[] {
  const stops = Array.from({ length: 1 + random.below(3) }, () => randomText(random, 5));
  return [...stops.filter((stop) => stop !== ""), "aab"];
}

/** At least one piece, since an answer's end is one. */
const cutUp = (random: Seeded, text: string) => [...random.cut(text), ""];

test("any cutting of a text is shown as the text up to its first stop string, and ends alike", () => {
  forSeeds(3000, (random) => {
    const stops = randomStops(random);
    const text = randomText(random, 30);
    const seen = shown(stops, cutUp(random, text), random.chance(0.5));
    expect(seen).toEqual(reference(stops, text));
  });
});

test("where an answer is joined from two, what waited is made again and no stop string is missed", () => {
  forSeeds(3000, (random) => {
    const stops = randomStops(random);
    const text = randomText(random, 30);
    const whole = reference(stops, text);
    // The first source dies before its end: what it held back was never shown.
    const before = new StopCut(stops);
    const seen = new Transcript();
    for (const said of random.cut(text.slice(0, random.below(text.length + 1)))) {
      const event = before.cut(piece(true, said, null));
      if (event !== null) seen.add(event);
      if (before.stopped) return;
    }
    const sent = seen.choices.get(0)?.text ?? "";
    const rest = shown(stops, cutUp(random, text.slice(sent.length)), true);
    expect({ ...rest, text: sent + rest.text }).toEqual(whole);
  });
});

test("other fields of an event go through while text waits", () => {
  const cut = new StopCut(["END"]);
  const call = { index: 0, id: "c", type: "function" as const, function: { name: "f" } };
  const event: StreamEvent = {
    choices: [
      {
        index: 0,
        delta: { role: "assistant", content: "E", tool_calls: [call] },
        logprobs: null,
        finish_reason: null,
      },
    ],
  };
  expect(cut.cut(event)?.choices[0]).toMatchObject({
    delta: { role: "assistant", tool_calls: [call] },
  });
  expect(cut.cut(piece(true, "", "length"))?.choices[0]).toMatchObject({
    delta: { content: "E" },
    finish_reason: "length",
  });
});

test("an event without text that waits is passed on as it is", () => {
  const cut = new StopCut(["END"]);
  const event = piece(true, "hello", null);
  expect(cut.cut(event)).toBe(event);
  const usage: StreamEvent = { choices: [] };
  expect(cut.cut(usage)).toBe(usage);
});
