import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { CASES, expectedTexts, type FirstTokenCase, fitOf, limitOf } from "./first-token.ts";
import { complete, completionRequest, sharedBackend, TIMEOUT, weights } from "./local-backend.ts";
import { OpenModel } from "./model-logits.ts";
import { referenceDistribution } from "./reference-sampler.ts";
import { samplingWith } from "./small-distributions.ts";

setDefaultTimeout(TIMEOUT);

const CAT = [1, 450, 6635, 3290, 373, 278, 1775, 29889, 450, 6635, 3290, 373, 278];
const SEEDS = 60;

let model: OpenModel;

beforeAll(async () => {
  model = await OpenModel.load(await weights());
  await sharedBackend().preload("tinyllama");
});
afterAll(() => model.dispose());

test("the model's own logits are found out, so that the library's penalty and ours are the same", async () => {
  const logits = await model.logits(CAT);
  for (const fields of [
    {},
    { repetitionPenalty: 1.4 },
    { repetitionPenalty: 0.8, temperature: 0.7, minP: 0.02, topK: 30 },
    { logitBias: [[1775, -3]] as const, temperature: 1.5, minP: 0.05 },
    { topP: 0.7, topK: 50 },
  ]) {
    const sampling = samplingWith(fields);
    const native = await model.native(CAT, sampling);
    const defined = referenceDistribution(logits, sampling, { prompt: CAT, generated: [] });
    // The library adds probabilities up as 32-bit floats.
    const furthest = Math.max(...defined.map((p, token) => Math.abs(p - (native.get(token) ?? 0))));
    expect(furthest).toBeLessThan(2e-4);
  }
});

const chosen: readonly string[] = [
  '{"temperature":0.7,"top_p":0.6}',
  '{"typical_p":0.5}',
  '{"xtc_probability":0.5,"xtc_threshold":0.05}',
  '{"logit_bias":{"2":12},"min_tokens":1}',
];

for (const each of CASES.filter(({ name }) => chosen.some((fields) => name.startsWith(fields))))
  test(`first tokens come as often as defined with ${each.name}`, async () => {
    const expected = await expectedTexts(model, each);
    const fit = fitOf(await ask(each), expected);
    expect(fit.chiSquare).toBeLessThan(limitOf(fit.degrees));
    expect(fit.impossible).toBe(0);
  });

test("every one of those cases is there", () => {
  for (const fields of chosen)
    expect(CASES.filter(({ name }) => name.startsWith(fields))).toHaveLength(1);
});

/** The first texts of so many seeds. */
async function ask({ prompt, fields, tokens }: FirstTokenCase): Promise<string[]> {
  const texts: string[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const request = completionRequest(prompt, { max_tokens: tokens, seed, ...fields });
    texts.push((await complete(request)).text);
  }
  return texts;
}
