import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { getLlama, type LlamaModel } from "node-llama-cpp";
import { Vocabulary } from "../../src/engines/llama/tokens.ts";
import { Turns } from "../../src/engines/turns.ts";
import { TIMEOUT, weights } from "./local-backend.ts";

setDefaultTimeout(TIMEOUT);

let model: LlamaModel;
let vocabulary: Vocabulary;

beforeAll(async () => {
  const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, maxThreads: 1 });
  model = await llama.loadModel({ modelPath: await weights(), vocabOnly: true });
  vocabulary = new Vocabulary(model, "");
});

const LENGTH = 40_000;
const PARTS = [
  "word ",
  " two  spaces",
  "\n",
  "\n\n",
  "</s>",
  "<s>",
  "鑿",
  "的",
  "🙂",
  "é",
  "x",
  "aa",
];
const MORE = ["</", "s>", "1234", "\t", "<unk>", ".", ", ", "Ω", "\u{FEFF}", "don't", "▁", "  ▁ "];

/** Parts in an order that is the same each time and has no pattern. */
function mixed(parts: readonly string[], seed: number): string {
  let text = "";
  let state = seed;
  while (text.length < LENGTH) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += parts[(state >>> 8) % parts.length] ?? "";
  }
  return text;
}

const wanted = () => true;

const encode = async (text: string) =>
  (await new Turns().run(vocabulary.encode([{ text, literal: false }], false), wanted)) ?? [];

test("a long text has the tokens that llama.cpp finds in it as a whole", async () => {
  const texts = [...PARTS, ...MORE].map((part) => part.repeat(LENGTH / part.length));
  for (let seed = 1; seed <= 20; seed++) texts.push(mixed([...PARTS, ...MORE], seed));
  for (let seed = 1; seed <= 5; seed++) texts.push(mixed(PARTS.slice(0, 3), seed));
  for (const text of texts) {
    const tokens = await encode(text);
    expect(Bun.hash(tokens.join())).toBe(Bun.hash(model.tokenize(text, true).join()));
  }
});

test("what the vocabulary doesn't have takes no more than a moment at a time", () => {
  for (const character of ["鑿", "\n", "</s>", " </s>"]) {
    const steps = vocabulary.encode([{ text: character.repeat(60_000), literal: false }], false);
    let pieces = 0;
    while (!steps.next().done) pieces++;
    expect(pieces).toBeGreaterThan(6);
  }
});

test("other work gets its turns while a long text is tokenised", async () => {
  const turns = new Turns();
  let rounds = 0;
  const count = () => {
    rounds++;
    round = setImmediate(count);
  };
  let round = setImmediate(count);
  const long = "鑿".repeat(100_000);
  await Promise.all(
    [long, long].map((text) =>
      turns.run(vocabulary.encode([{ text, literal: false }], true), wanted),
    ),
  );
  clearImmediate(round);
  expect(rounds).toBeGreaterThan(5);
});
