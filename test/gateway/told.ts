import { deltaOf, toolPieces } from "../../src/gateway/resume/transcript.ts";
import type { JsonObject, StreamEvent } from "../../src/types.ts";
import type { Seeded } from "../seeded.ts";

/** An answer as it is in the end. */
export interface Told {
  readonly reasoning: string;
  readonly text: string;
  readonly refusal: string;
  readonly tools: readonly ToldTool[];
}

export interface ToldTool {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

const WORDS = ["a", "b ", "\n", "é", "😀", "{", '"x":', "1", "]", " "] as const;

export function randomText(random: Seeded, most: number): string {
  return Array.from({ length: random.below(most + 1) }, () => random.pick([...WORDS])).join("");
}

export function randomAnswer(random: Seeded): Told {
  const some = (probability: number, most: number) =>
    random.chance(probability) ? randomText(random, most) : "";
  const tools = random.chance(0.5) ? 1 + random.below(3) : 0;
  return {
    reasoning: some(0.4, 8),
    text: some(0.8, 12),
    refusal: some(0.15, 6),
    tools: Array.from({ length: tools }, (_, n) => ({
      id: `first_${n}`,
      name: random.pick(["get", "get_weather", "f"]),
      arguments: randomText(random, 8),
    })),
  };
}

export const renamed = (told: Told): Told => ({
  ...told,
  tools: told.tools.map((tool, n) => ({ ...tool, id: `second_${n}` })),
});

/** How servers write the reasoning of a delta. */
const REASONING: readonly [string[], ...string[][]] = [
  ["reasoning"],
  ["reasoning_content"],
  ["reasoning", "reasoning_content"],
];

/** The answer's deltas, cut in any way: reasoning, text, refusal, then the calls, several fields in one event or not. */
export function deltasOf(random: Seeded, told: Told): JsonObject[] {
  const deltas: JsonObject[] = [];
  const names = random.pick(REASONING);
  for (const said of random.cut(told.reasoning)) {
    deltas.push(Object.fromEntries(names.map((name) => [name, said])));
  }
  for (const content of random.cut(told.text)) deltas.push({ content });
  for (const refusal of random.cut(told.refusal)) deltas.push({ refusal });
  for (const [index, tool] of told.tools.entries()) deltas.push(...toolDeltas(random, index, tool));
  const joined = random.chance(0.5) ? merged(random, deltas) : deltas;
  const role = { role: "assistant" };
  const [first = {}, ...others] = joined;
  const begun = random.chance(0.5) ? [{ ...role, ...first }, ...others] : [role, ...joined];
  return random.chance(0.3) ? begun.flatMap((delta) => [delta, {}]) : begun;
}

/** A call's id, type and name come first, its name in one piece or in several, its id once or every time. */
function toolDeltas(random: Seeded, index: number, tool: ToldTool): JsonObject[] {
  const repeats = random.chance(0.3) ? { id: tool.id } : {};
  const names = random.chance(0.2) ? random.cut(tool.name, 3) : [tool.name];
  const [name, ...moreNames] = names;
  const pieces = random.cut(tool.arguments, 5);
  const begins = moreNames.length === 0 && random.chance(0.3) ? (pieces.shift() ?? "") : "";
  // With arguments, be they empty, the name is complete.
  const told = moreNames.length > 0 ? { name } : { name, arguments: begins };
  const head = { index, id: tool.id, type: "function", function: told };
  return [
    head,
    ...moreNames.map((more) => ({ index, function: { name: more } })),
    ...pieces.map((piece) => ({ index, ...repeats, function: { arguments: piece } })),
  ].map((piece) => ({ tool_calls: [piece] }));
}

/** Deltas of different fields, or of different calls, in one. */
function merged(random: Seeded, deltas: readonly JsonObject[]): JsonObject[] {
  const all: JsonObject[] = [];
  for (const delta of deltas) {
    const last = all.at(-1);
    if (last === undefined || !random.chance(0.4)) {
      all.push(delta);
      continue;
    }
    const names = Object.keys(delta);
    if (Array.isArray(last.tool_calls) && Array.isArray(delta.tool_calls)) {
      last.tool_calls = [...last.tool_calls, ...delta.tool_calls];
    } else if (names.some((name) => name in last)) all.push(delta);
    else Object.assign(last, delta);
  }
  return all;
}

type Finish = "stop" | "tool_calls";

/** The events of one choice, with its finish reason in the last delta's event or in one of its own. */
export function eventsOf(
  random: Seeded,
  told: Told,
  options: { readonly index?: number; readonly finish?: boolean } = {},
): StreamEvent[] {
  const { index = 0, finish = true } = options;
  const reason: Finish = told.tools.length > 0 ? "tool_calls" : "stop";
  const deltas = deltasOf(random, told);
  if (finish && random.chance(0.7)) deltas.push({});
  return deltas.map((delta, place) => ({
    choices: [
      {
        index,
        delta,
        logprobs: null,
        finish_reason: finish && place === deltas.length - 1 ? reason : null,
      },
    ],
  }));
}

/** What a caller has put together of events, and what it must see once only. */
export interface Heard extends Told {
  readonly roles: number;
  readonly finishes: readonly string[];
}

export function hear(events: readonly StreamEvent[], index = 0): Heard {
  let [reasoning, text, refusal, roles] = ["", "", "", 0];
  const finishes: string[] = [];
  const tools = new Map<number, { id: string; name: string; arguments: string }>();
  const all = events.flatMap(({ choices }): StreamEvent["choices"][number][] => choices);
  for (const choice of all) {
    if (choice.index !== index) continue;
    if (choice.finish_reason !== null) finishes.push(choice.finish_reason);
    if (!("delta" in choice)) {
      text += choice.text;
      continue;
    }
    const delta = deltaOf(choice);
    if (delta.role !== undefined) roles += 1;
    reasoning += String(delta.reasoning ?? delta.reasoning_content ?? "");
    text += String(delta.content ?? "");
    refusal += String(delta.refusal ?? "");
    for (const piece of toolPieces(delta)) {
      const tool = tools.get(piece.index) ?? { id: "", name: "", arguments: "" };
      tools.set(piece.index, tool);
      if (tool.id === "") tool.id = String(piece.sent.id ?? "");
      tool.name += piece.name;
      tool.arguments += piece.arguments;
    }
  }
  return { reasoning, text, refusal, tools: [...tools.values()], roles, finishes };
}
