import { expect, test } from "bun:test";
import { readerOf } from "../../../test/guided/matches.ts";
import { afterThinking, mightOpen } from "./first.ts";

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

test("most forms plainly don't begin with the mark that opens thinking", () => {
  const call = { kind: "literal", text: "<tool_call>" } as const;
  const schema = { kind: "json_schema", schema: {} } as const;
  const regex = { kind: "regex", pattern: "a" } as const;
  const might = (form: Parameters<typeof mightOpen>[0]) => mightOpen(form, "<think>");
  expect(might(FORM)).toBe(false);
  expect(might(schema)).toBe(false);
  expect(might({ kind: "sequence", parts: [call, regex] })).toBe(false);
  expect(might({ kind: "choice", choices: ["a", "<think> b"] })).toBe(true);
  expect(might({ kind: "either", parts: [schema, { kind: "literal", text: "<th" }] })).toBe(true);
  expect(might(regex)).toBe(true);
});
