import { expect, test } from "bun:test";
import { END, madeUpVocabulary } from "../../../test/guided/made-up-vocabulary.ts";
import { readerOf } from "../../../test/guided/matches.ts";
import { walk } from "../../../test/guided/walk.ts";
import { forSeeds } from "../../../test/seeded.ts";
import { createGuides, type Guide } from "./guide.ts";
import { GuideError } from "./guide-error.ts";
import type { GuideSpec, TriggeredSpec } from "./spec.ts";
import { vocabularyOf } from "./token-trie.ts";

const tokens = madeUpVocabulary();
const guides = createGuides(vocabularyOf(tokens, [END]));
const decoder = new TextDecoder();

/** The texts of all tokens that may come. */
function allowed(guide: Guide): string[] {
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  guide.allow(mask);
  return tokens
    .flatMap((bytes, token) => {
      const may = ((mask[token >> 5] ?? 0) >>> (token & 31)) & 1;
      return may === 0 ? [] : [token === END ? "END" : decoder.decode(bytes)];
    })
    .filter((text, index, all) => all.indexOf(text) === index);
}

function after(spec: GuideSpec, text: string): Guide {
  const guide = guides.compile(spec);
  guide.acceptBytes(new TextEncoder().encode(text));
  return guide;
}

test("tokens may come that lead to one of the choices, and the end where one is whole", () => {
  const spec: GuideSpec = { kind: "choice", choices: ["aa", "aabb", "b"] };
  expect(allowed(after(spec, "")).sort()).toEqual(["a", "aa", "b"]);
  expect(allowed(after(spec, "aa")).sort()).toEqual(["END", "b", "bb"]);
  const ended = after(spec, "aabb");
  expect(allowed(ended)).toEqual(["END"]);
  expect([ended.complete, ended.finished]).toEqual([true, true]);
  expect([after(spec, "aa").complete, after(spec, "aa").finished]).toEqual([true, false]);
});

test("what may come is the same whether it is looked up at once or token by token", () => {
  const specs: GuideSpec[] = [
    { kind: "json_schema", schema: { minLength: 2, maxLength: 3 } },
    { kind: "json_schema", schema: { maxLength: 40 } },
    { kind: "json_schema", schema: { pattern: "b" } },
    { kind: "json_object" },
    { kind: "regex", pattern: ".{2,5}x?" },
  ];
  for (const spec of specs) {
    const read = readerOf(spec);
    for (const begun of ['"', '"ab', '"abc', '"é', '{"', '{"ab', "{", "abc", "abcde"]) {
      if (read(begun) === "neither") continue;
      const prefix = [...new TextEncoder().encode(begun)];
      const mask = new Uint32Array(Math.ceil(tokens.length / 32));
      after(spec, begun).allow(mask);
      for (const [token, bytes] of tokens.entries()) {
        if (token === END) continue;
        const may = ((mask[token >> 5] ?? 0) >>> (token & 31)) & 1;
        const fits = read(Uint8Array.from([...prefix, ...bytes])) !== "neither";
        if ((may === 1) !== fits)
          throw new Error(`${JSON.stringify(spec)} after ${begun}: ${decoder.decode(bytes)}`);
      }
    }
  }
});

test("a token that may not come is an error, also the end before its time", () => {
  const spec: GuideSpec = { kind: "choice", choices: ["ab"] };
  const b = tokens.findIndex((bytes) => decoder.decode(bytes) === "b");
  expect(() => guides.compile(spec).accept(b)).toThrow(GuideError);
  expect(() => guides.compile(spec).accept(END)).toThrow("too early");
});

test("a vocabulary that can't write what is asked for is an error, not free text", () => {
  const few = createGuides(vocabularyOf([new Uint8Array(), new TextEncoder().encode("a")], [0]));
  const guide = few.compile({ kind: "choice", choices: ["b"] });
  expect(() => guide.allow(new Uint32Array(1))).toThrow(GuideError);
});

test("a token after which a text could be read in too many ways is left out, and the answer goes on", () => {
  const ways = Array.from({ length: 2400 }, () => '[a-z]* "b"').join(" | ");
  const source = `root ::= "b" | "a" (${ways})`;
  expect(allowed(guides.compile({ kind: "grammar", source }))).toEqual(["b"]);
});

test("two answers of one spec do not know of each other", () => {
  const spec: GuideSpec = { kind: "choice", choices: ["aa", "ab"] };
  const first = after(spec, "a");
  expect(allowed(after(spec, ""))).toContain("aa");
  expect(allowed(first).sort()).toEqual(["a", "b"]);
});

const CALL: TriggeredSpec = {
  kind: "triggered",
  triggers: [
    {
      begin: "<call>",
      guide: { kind: "json_schema", schema: { type: "integer" } },
      end: "</call>",
    },
    { begin: "<car", guide: { kind: "choice", choices: ["x"] }, end: ">" },
  ],
  freeText: true,
  least: 0,
  most: null,
  separator: "",
};

test("free text may be anything, and what a trigger begins is guided to its end", () => {
  const read = readerOf(CALL);
  for (const text of ["", "so <c <<carx> and <call>12</call><call>3</call> ok", "<ca"])
    expect(read(text)).toBe("whole");
  expect(read("so <call>12")).toBe("begun");
  for (const text of ["<call>x", "<cary", "<call>1 "]) expect(read(text)).toBe("neither");
});

test("triggers come as often as they must and may", () => {
  const once = readerOf({ ...CALL, least: 1, most: 1 });
  expect(once("words")).toBe("begun");
  expect(once("<call>1</call>")).toBe("whole");
  expect(once("<call>1</call> words <cal")).toBe("whole");
  expect(once("<call>1</call><call>")).toBe("neither");
  const bare = readerOf({ ...CALL, freeText: false, least: 1, most: 2, separator: ", " });
  expect(bare("")).toBe("begun");
  expect(bare("x")).toBe("neither");
  expect(bare("<call>1</call>")).toBe("whole");
  expect(bare("<call>1</call>, <carx>")).toBe("whole");
  expect(bare("<call>1</call>, <carx>, ")).toBe("neither");
});

test("an answer to an expression ends by itself or can go on", () => {
  forSeeds(30, (random) => {
    const pattern = "[A-Z][a-z]{2,6}( (?:is|was) .{1,9})?[.!]";
    const guide = guides.compile({ kind: "regex", pattern });
    const { text, ended } = walk(guide, tokens, new Set([END]), random, 100);
    expect(ended).toBe(true);
    expect(text).toMatch(new RegExp(`^(?:${pattern})$`, "u"));
  });
});
