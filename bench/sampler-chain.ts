/**
 * `bun bench/sampler-chain.ts`: what choosing a token costs in our own samplers, once the library has
 * given the probabilities; microseconds a token, the median of 60, for typical requests.
 */
import { Candidates } from "../src/engines/sampling/candidates.ts";
import { createChain } from "../src/engines/sampling/chain.ts";
import { createDistribution, readProbabilities } from "../src/engines/sampling/distribution.ts";
import { softmax } from "../test/engines/reference-sampler.ts";
import { samplingWith } from "../test/engines/small-distributions.ts";
import { Seeded } from "../test/seeded.ts";

const REQUESTS: Readonly<Record<string, Parameters<typeof samplingWith>[0]>> = {
  nothing: {},
  "temperature, top_p": { temperature: 0.8, topP: 0.95 },
  "temperature, top_k, top_p": { temperature: 0.8, topK: 40, topP: 0.95 },
  "min_p, XTC": { minP: 0.05, xtc: { probability: 0.5, threshold: 0.1 } },
  "all penalties": { repetitionPenalty: 1.1, presencePenalty: 0.5, temperature: 0.8 },
  DRY: {
    dry: { multiplier: 0.8, base: 1.75, allowedLength: 2, range: null, sequenceBreakers: ["\n"] },
    minP: 0.05,
  },
  "dynamic temperature": { dynamicTemperature: { min: 0.5, max: 1.5, exponent: 1 } },
  typical: { typicalP: 0.9 },
  "tail free": { tailFree: 0.95 },
  mirostat: { mirostat: { version: 2, tau: 5, eta: 0.1 } },
};

const random = new Seeded(5);

for (const size of [32_000, 128_000]) {
  const probabilities = modelLike(size);
  const distribution = createDistribution(size);
  const reading = median(() => readProbabilities(probabilities, distribution));
  console.log(`${size} tokens: ${reading} µs to read the probabilities, and for`);
  const room = new Candidates(size);
  const facts = {
    size,
    endOfGeneration: [2],
    bytes: (token: number) => Uint8Array.of(token & 127),
  };
  const words = (count: number): number[] =>
    Array.from({ length: count }, () => random.below(size));
  const history = { prompt: words(500), generated: words(300), completionTokens: 300 };
  for (const [name, fields] of Object.entries(REQUESTS)) {
    const chain = createChain(samplingWith(fields), facts, room);
    const cost = median(() => chain.next(distribution, history, null));
    console.log(`  ${name.padEnd(28)} ${String(cost).padStart(6)} µs`);
  }
}

/** Some likely tokens, and a long tail. */
function modelLike(size: number): Map<number, number> {
  const logits = Array.from({ length: size }, (_, token) =>
    token % (size / 20) === 0
      ? 8 + 8 * random.next()
      : 12 * (random.next() + random.next() + random.next() - 1.5),
  );
  const p = softmax(logits);
  const order = p.map((_, token) => token).sort((a, b) => (p[b] ?? 0) - (p[a] ?? 0));
  return new Map(order.map((token) => [token, Math.fround(p[token] ?? 0)]));
}

function median(run: () => unknown): number {
  const times = Array.from({ length: 90 }, () => {
    const began = performance.now();
    run();
    return performance.now() - began;
  }).slice(30);
  return Math.round((times.toSorted((a, b) => a - b)[30] ?? 0) * 1000);
}
