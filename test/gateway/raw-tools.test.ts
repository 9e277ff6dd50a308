import { expect, test } from "bun:test";
import { ToolDeltas } from "../../src/dialects/tool-deltas.ts";
import { RestartSeam } from "../../src/gateway/resume/restart-seam.ts";
import { Transcript } from "../../src/gateway/resume/transcript.ts";
import type { JsonObject, StreamEvent } from "../../src/types.ts";
import { forSeeds, type Seeded } from "../seeded.ts";
import { hear, randomText, type ToldTool } from "./told.ts";

/** Tool calls as servers write them: in odd pieces, with ids and names repeated or not. */

function rawPieces(random: Seeded, tools: readonly ToldTool[]): JsonObject[] {
  const [repeatsId, repeatsName, keepsIndex] = [0.4, 0.4, 0.7].map((p) => random.chance(p));
  return tools.flatMap(({ id, name, arguments: text }, n) => {
    const index = keepsIndex === true ? { index: n } : {};
    const first = { ...index, id, type: "function", function: { name, arguments: "" } };
    const more = random.cut(text, 4).map((piece) => ({
      ...index,
      ...(repeatsId === true ? { id } : {}),
      function: {
        arguments: piece,
        // Without an index a name begins another call.
        ...(repeatsName === true && repeatsId === true ? { name } : {}),
      },
    }));
    return [first, ...more];
  });
}

/** The pieces as the dialect gives them on. */
function eventsOf(random: Seeded, tools: readonly ToldTool[]): StreamEvent[] {
  const deltas = new ToolDeltas((index) => `made-${index}`);
  const given = rawPieces(random, tools).map((piece) => deltas.read([piece]));
  return [...given, deltas.flush()]
    .filter((calls) => calls.length > 0)
    .map((tool_calls): StreamEvent => {
      const delta: JsonObject = { tool_calls };
      return { choices: [{ index: 0, delta, logprobs: null, finish_reason: null }] };
    });
}

test("calls made anew in other pieces go on where they were cut, under their first ids", () => {
  forSeeds(2000, (random) => {
    const tools = Array.from({ length: 1 + random.below(3) }, (_, n) => ({
      id: `first_${n}`,
      name: `tool_${n}`,
      arguments: `{${randomText(random, 6)}}`,
    }));
    const renamed = tools.map((tool, n) => ({ ...tool, id: `second_${n}` }));
    const first = eventsOf(random, tools);
    const sent = first.slice(0, random.below(first.length + 1));
    const transcript = new Transcript();
    for (const event of sent) transcript.add(event);
    const seam = new RestartSeam(transcript);
    const rest = eventsOf(random, renamed)
      .map((event) => seam.take(event))
      .filter((event) => event !== null);
    const begun = hear(sent).tools.length;
    expect(hear([...sent, ...rest]).tools).toEqual(
      tools.map((tool, n) => ({ ...tool, id: n < begun ? tool.id : `second_${n}` })),
    );
  });
});
