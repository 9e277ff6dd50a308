import { expect, test } from "bun:test";
import { readerOf } from "../../../test/guided/matches.ts";
import { afterThinking } from "./first.ts";

const THINK = { open: "<think>", close: "</think>" };
const FORM = { kind: "choice", choices: ["yes"] } as const;

test("a form follows thinking that the prompt has opened", () => {
  const reads = readerOf(afterThinking(FORM, THINK, "inside", ["<call>"]));
  expect(reads("Let me </thin <c see.</think>\n\nyes")).toBe("whole");
  expect(reads("</think>\n\nyes")).toBe("whole");
  expect(reads("Let me see. yes")).toBe("begun");
  for (const wrong of ["a</think>\n\nno", "a</think>yes", "a <call>"])
    expect(reads(wrong)).toBe("neither");
});

test("where the answer may open thinking, it may come with the form at once", () => {
  const reads = readerOf(afterThinking(FORM, THINK, "before", []));
  expect(reads("yes")).toBe("whole");
  expect(reads("<think>\nHm.\n</think>\n\nyes")).toBe("whole");
  for (const wrong of ["no", "Hm", "<think></think>\n\nno"]) expect(reads(wrong)).toBe("neither");
});
