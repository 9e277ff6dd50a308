import { expect, test } from "bun:test";
import { eventsOf, hear, randomAnswer } from "../../../test/gateway/told.ts";
import { forSeeds } from "../../../test/seeded.ts";
import type { StreamEvent } from "../../types.ts";
import { Transcript } from "./transcript.ts";

test("it holds what a caller has put together, whatever the pieces", () => {
  forSeeds(2000, (random) => {
    const told = randomAnswer(random);
    const events = eventsOf(random, told);
    const sent = events.slice(0, random.below(events.length + 1));
    const transcript = new Transcript();
    for (const event of sent) transcript.add(event);
    const { reasoning, text, refusal, tools, finishes } = hear(sent);
    const choice = transcript.choices.get(0);
    expect(choice?.text ?? "").toBe(text);
    expect(choice?.reasoning ?? "").toBe(reasoning);
    expect(choice?.refusal ?? "").toBe(refusal);
    const calls = [...(choice?.tools.values() ?? [])].map(({ named: _named, ...call }) => call);
    expect(calls).toEqual(tools.map(({ id: _id, ...tool }) => tool));
    expect(transcript.complete).toBe(finishes.length > 0);
    const said = reasoning + text + refusal !== "" || tools.length > 0;
    expect(transcript.silent).toBe(!said);
  });
});

const piece = (index: number, finish_reason: "stop" | null): StreamEvent => ({
  choices: [{ index, text: "x", logprobs: null, finish_reason }],
});

test("it is complete when all that began have ended, and knows those that have not", () => {
  const transcript = new Transcript();
  expect(transcript.complete).toBe(false);
  transcript.add(piece(0, null));
  transcript.add(piece(1, "stop"));
  expect([transcript.complete, transcript.open]).toEqual([false, [0]]);
  transcript.add(piece(0, "stop"));
  expect([transcript.complete, transcript.open]).toEqual([true, []]);
});
