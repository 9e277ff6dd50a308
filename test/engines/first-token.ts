import { CompletionRequest } from "../../src/contract/completions.ts";
import { samplingOf } from "../../src/engines/parameters.ts";
import type { Sampling } from "../../src/engines/protocol.ts";
import { Candidates } from "../../src/engines/sampling/candidates.ts";
import { createChain } from "../../src/engines/sampling/chain.ts";
import type { Distribution } from "../../src/engines/sampling/distribution.ts";
import { SequenceBreakers } from "../../src/engines/sampling/sequence-breakers.ts";
import type { OpenModel } from "./model-logits.ts";
import { referenceDistribution } from "./reference-sampler.ts";
import { distributionOf } from "./small-distributions.ts";

export interface FirstTokenCase {
  readonly name: string;
  readonly prompt: readonly number[];
  /** Fields of the request. */
  readonly fields: { readonly [name: string]: unknown };
  /** How many tokens the answer has: more than one where a parameter is about the answer itself. */
  readonly tokens: 1 | 2;
}

const after =
  (words: string, prompt: readonly number[], tokens: 1 | 2 = 1) =>
  (fields: FirstTokenCase["fields"]): FirstTokenCase => ({
    name: `${JSON.stringify(fields)} after '${words}'`,
    prompt,
    fields: { ...NEUTRAL, ...fields },
    tokens,
  });

/** Instead of the model's own defaults. */
const NEUTRAL = { temperature: 1, min_p: 0 };

// Prompts as TinyLlama reads them, `<s>` first; short ones, of which an answer takes the less time.
const open = after("I", [1, 306]);
const repeating = after(
  "The cat sat on the mat. The cat sat on the",
  [1, 450, 6635, 3290, 373, 278, 1775, 29889, 450, 6635, 3290, 373, 278],
);
const laughing = after("ha ha", [1, 447, 447], 2);
const END = 2;
/** The likeliest after "I". */
const APOSTROPHE = 29_915;

/** Each parameter that changes which token comes first, alone, and a few together. */
export const CASES: readonly FirstTokenCase[] = [
  open({}),
  open({ temperature: 0.6 }),
  open({ temperature: 1.7 }),
  open({ dynatemp_min: 0.4, dynatemp_max: 1.6, dynatemp_exponent: 0.8 }),
  open({ top_k: 12 }),
  open({ top_p: 0.6 }),
  open({ temperature: 0.7, top_p: 0.6 }),
  open({ min_p: 0.1 }),
  open({ temperature: 1.5, min_p: 0.1 }),
  open({ top_a: 1.5 }),
  open({ tfs: 0.9 }),
  open({ typical_p: 0.5 }),
  open({ epsilon_cutoff: 80 }),
  open({ eta_cutoff: 300 }),
  open({ top_n_sigma: 1.8 }),
  open({ smoothing_factor: 0.4 }),
  open({ smoothing_factor: 0.3, smoothing_curve: 2.5 }),
  open({ xtc_probability: 0.5, xtc_threshold: 0.02 }),
  open({ mirostat: 1, mirostat_tau: 4 }),
  open({ mirostat_mode: 2, mirostat_tau: 3.5 }),
  open({ logit_bias: { [APOSTROPHE]: -1.5, [END]: 6 } }),
  open({ logit_bias: { [END]: 12 }, min_tokens: 1 }),
  open({ logit_bias: { [END]: 12 }, ignore_eos: true }),
  repeating({ repetition_penalty: 1.5 }),
  repeating({ no_repeat_ngram_size: 3 }),
  repeating({ dry_multiplier: 0.8, dry_base: 1.3 }),
  repeating({ dry_multiplier: 0.8, dry_base: 1.3, dry_range: 8 }),
  repeating({ dry_multiplier: 0.8, dry_base: 1.3, dry_sequence_breakers: [" cat"] }),
  laughing({ presence_penalty: 1.5, top_k: 3 }),
  laughing({ frequency_penalty: 1, top_k: 3 }),
  laughing({ presence_penalty: 1, repetition_penalty: 1.2, top_k: 3, temperature: 1.3 }),
  repeating({ dry_multiplier: 0.8, repetition_penalty: 1.2, min_p: 0.02, temperature: 1.4 }),
  open({ temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05 }),
  open({ temperature: 1.3, top_n_sigma: 2, typical_p: 0.8, smoothing_factor: 0.2 }),
  open({ temperature: 1.2, min_p: 0.02, xtc_probability: 0.5, xtc_threshold: 0.03 }),
  open({ top_a: 0.2, tfs: 0.95, epsilon_cutoff: 5, eta_cutoff: 5 }),
  repeating({ mirostat: 2, mirostat_tau: 4, repetition_penalty: 1.5, temperature: 1.2 }),
];

/** How likely each text is to be the answer, as the request and the model define it. */
export async function expectedTexts(
  model: OpenModel,
  { prompt, fields, tokens }: FirstTokenCase,
): Promise<ReadonlyMap<string, number>> {
  const request = CompletionRequest.parse({ model: "m", prompt, ...fields });
  const sampling = samplingOf(request, 1, {});
  const texts = new Map<string, number>();
  for (const [token, probability] of await nextTokens(model, prompt, [], sampling)) {
    const text = model.text(token);
    const longer =
      tokens === 1 || model.ends(token) ? null : await nextTokens(model, prompt, [token], sampling);
    for (const [second, share] of longer ?? [[null, 1] as const]) {
      const whole = second === null ? text : text + model.text(second);
      texts.set(whole, (texts.get(whole) ?? 0) + probability * share);
    }
  }
  return texts;
}

/** The texts that the chain, asked without a server, chooses for the seeds from 0. */
export async function chooseFirstTokens(
  model: OpenModel,
  { prompt, fields, tokens }: FirstTokenCase,
  seeds: number,
): Promise<string[]> {
  const request = CompletionRequest.parse({ model: "m", prompt, ...fields });
  const { size, endTokens } = model.vocabulary;
  const facts = { size, endOfGeneration: endTokens, bytes: model.bytes };
  const room = new Candidates(size);
  const known = new Map<string, Distribution>();
  const texts: string[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const chain = createChain(samplingOf({ ...request, seed }, 1, {}), facts, room);
    const generated: number[] = [];
    while (generated.length < tokens && !generated.some((token) => model.ends(token))) {
      const before = [...prompt, ...generated];
      const distribution = known.get(before.join()) ?? distributionOf(await model.logits(before));
      known.set(before.join(), distribution);
      const history = { prompt, generated, completionTokens: generated.length };
      generated.push(chain.next(distribution, history, null).token);
    }
    texts.push(generated.map((token) => model.text(token)).join(""));
  }
  return texts;
}

async function nextTokens(
  model: OpenModel,
  prompt: readonly number[],
  generated: readonly number[],
  sampling: Sampling,
): Promise<[token: number, probability: number][]> {
  const breakers = new SequenceBreakers(sampling.dry?.sequenceBreakers ?? [], model.bytes);
  const held = sampling.ignoreEndOfText || generated.length < sampling.minTokens;
  const logits = await model.logits([...prompt, ...generated]);
  return referenceDistribution(
    logits.map((logit, token) => (held && model.ends(token) ? Number.NEGATIVE_INFINITY : logit)),
    sampling,
    { prompt, generated },
    breakers.within,
  )
    .map((probability, token): [number, number] => [token, probability])
    .filter(([, probability]) => probability > 0);
}

export interface Fit {
  readonly chiSquare: number;
  readonly degrees: number;
  /** Texts that came and can't. */
  readonly impossible: number;
}

/** A bin with less expected than this many is merged with others. */
const SMALL = 5;

/** Pearson's chi-square of what came against what is expected, small bins merged into one. */
export function fitOf(came: readonly string[], expected: ReadonlyMap<string, number>): Fit {
  const counts = new Map<string, number>();
  for (const text of came) counts.set(text, (counts.get(text) ?? 0) + 1);
  let impossible = 0;
  for (const [text, count] of counts) if (!expected.has(text)) impossible += count;
  const bins: { wanted: number; found: number }[] = [];
  const rest = { wanted: 0, found: 0 };
  for (const [text, probability] of expected) {
    const bin = { wanted: probability * came.length, found: counts.get(text) ?? 0 };
    if (bin.wanted >= SMALL) bins.push(bin);
    else {
      rest.wanted += bin.wanted;
      rest.found += bin.found;
    }
  }
  if (rest.wanted >= SMALL) bins.push(rest);
  else {
    const least = bins.reduce<(typeof bins)[number] | undefined>(
      (found, bin) => (found === undefined || bin.wanted < found.wanted ? bin : found),
      undefined,
    );
    if (least !== undefined) {
      least.wanted += rest.wanted;
      least.found += rest.found;
    }
  }
  const chiSquare = bins.reduce(
    (sum, { wanted, found }) => sum + (found - wanted) ** 2 / wanted,
    0,
  );
  return { chiSquare, degrees: Math.max(0, bins.length - 1), impossible };
}

/** What chi-square passes once in 100,000 times (Wilson and Hilferty's approximation). */
export function limitOf(degrees: number): number {
  if (degrees === 0) return 1e-6;
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + 4.265 * Math.sqrt(spread)) ** 3;
}
