import type { Asked } from "./fake-asked.ts";
import { cutAt, numbersFor, ownWords, piecesAfter, piecesOf, storyFor } from "./fake-story.ts";

/** One thing that the fake upstream says, before a dialect gives it its form. */
export type Saying =
  | { readonly kind: "role" }
  | { readonly kind: "text" | "reasoning"; readonly text: string }
  | {
      readonly kind: "tool";
      readonly index: number;
      /** On a call's first piece. */
      readonly opens?: { readonly id: string; readonly name: string };
      readonly arguments: string;
    }
  | { readonly kind: "finish"; readonly reason: string }
  | { readonly kind: "usage"; readonly prompt: number; readonly completion: number };

/** What a model of this name says to this. Ends with a finish reason and the usage. */
export function sayingsOf(base: string, words: number, asked: Asked): Saying[] {
  if (base === "toolstory")
    return [{ kind: "role" }, ...toolCalls(asked), ...end("tool_calls", asked, 20)];
  const begun = asked.prefill ?? "";
  const reasoning =
    base === "reasoning" && asked.prefill === null
      ? piecesOf(storyFor(`why ${asked.text}`, Math.ceil(words / 2)))
      : [];
  const cut = cutAt(
    piecesFor(base, words, asked, begun),
    asked.maxTokens - reasoning.length,
    asked.stops,
  );
  return [
    ...(asked.chat ? [{ kind: "role" } as const] : []),
    ...reasoning.map((text) => ({ kind: "reasoning", text }) as const),
    ...cut.said.map((text) => ({ kind: "text", text }) as const),
    ...end(cut.reason, asked, cut.made + reasoning.length),
  ];
}

function end(reason: string, asked: Asked, completion: number): Saying[] {
  const prompt = piecesOf(asked.prompt).length;
  return [
    { kind: "finish", reason },
    { kind: "usage", prompt, completion },
  ];
}

function piecesFor(base: string, words: number, asked: Asked, begun: string): string[] {
  if (base === "hugechunk") return [..."before", "x".repeat(words * 1_000_000), ..."after"];
  if (base !== "random") return piecesAfter(storyFor(asked.text, words), begun);
  const seed = `${asked.text}${Math.random()}`;
  return asked.prefill === null ? piecesOf(storyFor(seed, words)) : ownWords(begun, words, seed);
}

/** The arguments of the two calls that `toolstory` makes for this text. */
export function toolArguments(text: string): readonly [string, string] {
  const next = numbersFor(text);
  const first = {
    city: `Zürich ${next() % 100}`,
    note: 'a "quoted" line\nand 🌍 \\ more',
    days: [1, 2.5],
  };
  return [JSON.stringify(first), JSON.stringify({ query: storyFor(text, 6), limit: next() % 50 })];
}

export const TOOL_NAMES = ["weather", "search"] as const;
const ODD_SIZES = [1, 4, 2, 9, 3, 1, 13];

/** Two calls, one after the other. Ids are new each time, as engines make them; all else is the same for one text. */
function* toolCalls(asked: Asked): Generator<Saying> {
  for (const [index, text] of toolArguments(asked.text).entries()) {
    const name = asked.functions[index] ?? TOOL_NAMES[index] ?? "weather";
    yield {
      kind: "tool",
      index,
      opens: { id: `call_${crypto.randomUUID()}`, name },
      arguments: "",
    };
    const characters = [...text];
    for (let at = 0, i = 0; at < characters.length; i++) {
      const size = ODD_SIZES[i % ODD_SIZES.length] ?? 1;
      yield { kind: "tool", index, arguments: characters.slice(at, at + size).join("") };
      at += size;
    }
  }
}
