import { expect, test } from "bun:test";
import { ChatRequest } from "../../contract/chat.ts";
import { CompletionRequest } from "../../contract/completions.ts";
import { samplersOf } from "./requested.ts";

const chat = (fields: object) =>
  ChatRequest.parse({ model: "m", messages: [{ role: "user", content: "hi" }], ...fields });

test("every parameter becomes its sampler's, in the sampler's units", () => {
  expect(
    samplersOf(
      chat({
        temperature: 0.7,
        dynatemp_min: 0.5,
        dynatemp_max: 1.5,
        dynatemp_exponent: 2,
        top_k: 40,
        top_p: 0.9,
        min_p: 0.05,
        top_a: 0.1,
        tfs: 0.95,
        typical_p: 0.8,
        epsilon_cutoff: 3,
        eta_cutoff: 5,
        top_n_sigma: 1.5,
        smoothing_factor: 0.2,
        smoothing_curve: 1.5,
        xtc_probability: 0.5,
        mirostat_mode: 2,
        mirostat_tau: 4,
        no_repeat_ngram_size: 3,
        dry_multiplier: 0.8,
        dry_range: 512,
        dry_sequence_breakers: ["\n"],
        min_tokens: 4,
        stop_token_ids: [7],
        allowed_token_ids: [7, 8],
        ignore_eos: true,
        include_stop_str_in_output: true,
        skip_special_tokens: false,
      }),
      {},
    ),
  ).toEqual({
    temperature: 0.7,
    dynamicTemperature: { min: 0.5, max: 1.5, exponent: 2 },
    topP: 0.9,
    topK: 40,
    minP: 0.05,
    topA: 0.1,
    tailFree: 0.95,
    typicalP: 0.8,
    epsilonCutoff: expect.closeTo(0.0003, 12),
    etaCutoff: expect.closeTo(0.0005, 12),
    topNSigma: 1.5,
    smoothing: { factor: 0.2, curve: 1.5 },
    xtc: { probability: 0.5, threshold: 0.1 },
    mirostat: { version: 2, tau: 4, eta: 0.1 },
    presencePenalty: 0,
    frequencyPenalty: 0,
    repetitionPenalty: 1,
    noRepeatNgramSize: 3,
    dry: {
      multiplier: 0.8,
      base: 1.75,
      allowedLength: 2,
      range: 512,
      sequenceBreakers: ["\n"],
    },
    logitBias: [],
    minTokens: 4,
    ignoreEndOfText: true,
    stopTokens: [7],
    allowedTokens: [7, 8],
    includeStop: true,
    skipSpecialTokens: false,
  });
});

test("what only serves a sampler that is off turns none on", () => {
  const idle = {
    dynatemp_exponent: 3,
    smoothing_curve: 2,
    xtc_threshold: 0.2,
    mirostat_tau: 3,
    mirostat_eta: 0.2,
    dry_base: 2,
    top_n_sigma: -1,
    dry_range: -1,
  };
  expect(samplersOf(chat(idle), {})).toEqual(samplersOf(chat({}), {}));
});

test("a temperature too cold to divide by is 0, which is greedy", () => {
  expect(samplersOf(chat({ temperature: 1e-9 }), {}).temperature).toBe(0);
});

test("mirostat has two names, of which its own one counts", () => {
  expect(samplersOf(chat({ mirostat: 1, mirostat_mode: 2 }), {}).mirostat?.version).toBe(1);
  expect(samplersOf(chat({ mirostat: 0, mirostat_mode: 2 }), {}).mirostat).toBeNull();
});

test("what can't be is refused with the parameter's name", () => {
  const refusal = (fields: object) => () => samplersOf(chat(fields), {});
  expect(refusal({ dynatemp_min: 2, dynatemp_max: 1 })).toThrow(
    expect.objectContaining({ kind: "invalid_request", param: "dynatemp_min" }),
  );
  for (const field of ["max_tokens", "max_completion_tokens"])
    expect(refusal({ min_tokens: 9, [field]: 8 })).toThrow(
      expect.objectContaining({ kind: "invalid_request", param: "min_tokens" }),
    );
  const completion = CompletionRequest.parse({
    model: "m",
    prompt: "x",
    min_tokens: 2,
    max_tokens: 1,
  });
  expect(() => samplersOf(completion, {})).toThrow(
    expect.objectContaining({ param: "min_tokens" }),
  );
  expect(samplersOf(chat({ min_tokens: 8, max_tokens: 8 }), {}).minTokens).toBe(8);
});

test("values out of their range are refused by the contract, by name", () => {
  const wrong: [name: string, value: unknown][] = [
    ["temperature", 2.1],
    ["top_k", -2],
    ["min_p", 1.1],
    ["top_a", -1],
    ["tfs", 1.1],
    ["typical_p", -0.1],
    ["epsilon_cutoff", 1001],
    ["eta_cutoff", -1],
    ["top_n_sigma", -2],
    ["repetition_penalty", 0],
    ["no_repeat_ngram_size", -1],
    ["dry_multiplier", -1],
    ["dry_base", 0.5],
    ["dry_allowed_length", -1],
    ["dry_range", -2],
    ["xtc_probability", 2],
    ["mirostat", 3],
    ["mirostat_tau", -1],
    ["dynatemp_min", -1],
    ["smoothing_curve", 0.5],
    ["min_tokens", -1],
    ["stop_token_ids", [-1]],
    ["stop_token_ids", Array(1025).fill(1)],
    ["allowed_token_ids", []],
    ["allowed_token_ids", [-1]],
    ["stop", "x".repeat(1001)],
    ["stop", ["x".repeat(1001)]],
    ["repetition_penalty", 101],
    ["dry_multiplier", 1e38],
    ["dry_base", 101],
    ["dry_sequence_breakers", Array(65).fill("x")],
    ["dry_sequence_breakers", ["x".repeat(1001)]],
    ["mirostat_tau", 1e9],
    ["mirostat_eta", 1e308],
    ["dynatemp_max", 101],
    ["dynatemp_exponent", 101],
    ["smoothing_factor", 1e308],
    ["smoothing_curve", 101],
  ];
  for (const [name, value] of wrong) {
    const result = ChatRequest.safeParse({
      model: "m",
      messages: [{ role: "user", content: "hi" }],
      [name]: value,
    });
    expect([name, result.error?.issues[0]?.path[0]]).toEqual([name, name]);
  }
});
