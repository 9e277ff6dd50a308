import { expect, test } from "bun:test";
import { completionLogprobs } from "./logprobs.ts";

const token = (bytes: readonly number[], logprob: number) => ({
  text: new TextDecoder().decode(Uint8Array.from(bytes)),
  bytes,
  logprob,
});

test("parts of characters are told apart among the likeliest tokens, by their bytes", () => {
  const taken = { ...token([0xc3], -1), shown: true };
  const top = [token([0xc3], -1), token([0xe2, 0x82], -2), token([0xff], -3), token([0x61], -4)];
  const { top_logprobs: told, tokens } = completionLogprobs([{ ...taken, top }], 0);
  expect(told).toEqual([{ "bytes:\\xc3": -1, "bytes:\\xe2\\x82": -2, "bytes:\\xff": -3, a: -4 }]);
  expect(tokens).toEqual(["\ufffd"]);
});

test("the token that was taken is told beside the likeliest ones", () => {
  const taken = { ...token([0x62], -5), shown: true };
  const told = completionLogprobs([{ ...taken, top: [token([0x61], -1)] }], 3);
  expect(told).toMatchObject({ top_logprobs: [{ a: -1, b: -5 }], text_offset: [3] });
});
