import type { Sampling } from "../../src/engines/protocol.ts";

/**
 * The distribution a request defines, computed the plain way: arrays over the whole vocabulary, a
 * token out is one whose logit is negative infinity, and each sampler is its formula, written as the
 * papers and Aphrodite's `aphrodite/v1/sample/ops` have it. Slow, and shares nothing with the chain.
 */
export function referenceDistribution(
  logits: readonly number[],
  sampling: Sampling,
  history: { readonly prompt: readonly number[]; readonly generated: readonly number[] },
  breaks: (token: number) => boolean = () => false,
): number[] {
  let l = [...logits];
  for (const [token, bias] of sampling.logitBias) l[token] = at(l, token) + bias;
  const all = [...history.prompt, ...history.generated];
  l = dry(l, sampling, all, breaks);
  l = l.map((x, token) => {
    const repeated = all.includes(token);
    const r = sampling.repetitionPenalty;
    const scaled = !repeated ? x : x > 0 ? x / r : x * r;
    const count = history.generated.filter((each) => each === token).length;
    const present = count > 0 ? sampling.presencePenalty : 0;
    return scaled - present - count * sampling.frequencyPenalty;
  });
  const n = sampling.noRepeatNgramSize;
  if (n > 0) {
    const without = l.map((x, token) => (wouldRepeat([...all, token], n) ? OUT : x));
    if (without.some((x) => x > OUT)) l = without;
  }
  if (sampling.temperature === 0) {
    const best = l.indexOf(Math.max(...l));
    return l.map((_, token) => (token === best ? 1 : 0));
  }
  const dynamic = sampling.dynamicTemperature;
  let t = sampling.temperature;
  if (dynamic !== null) {
    const most = Math.log(l.filter((x) => x > OUT).length);
    t =
      dynamic.min + (dynamic.max - dynamic.min) * (entropy(softmax(l)) / most) ** dynamic.exponent;
  }
  l = l.map((x) => x / t);
  if (sampling.mirostat !== null) return mirostatFirst(l, sampling.mirostat);
  l = truncated(l, sampling);
  if (sampling.smoothing !== null) {
    const { factor, curve } = sampling.smoothing;
    const top = Math.max(...l);
    const k = (factor * (3 - curve)) / 2;
    const s = (factor * (curve - 1)) / 2;
    l = l.map((x) => (x === OUT ? OUT : top + s * (x - top) ** 3 - k * (x - top) ** 2));
  }
  const p = softmax(l);
  if (sampling.xtc === null) return p;
  const { probability, threshold } = sampling.xtc;
  const top = byProbability(p).filter((token) => at(p, token) > 0 && at(p, token) >= threshold);
  const out = new Set(top.slice(0, -1));
  const q = softmax(l.map((x, token) => (out.has(token) ? OUT : x)));
  return p.map((x, token) => (1 - probability) * x + probability * at(q, token));
}

const OUT = Number.NEGATIVE_INFINITY;

function truncated(logits: readonly number[], sampling: Sampling): number[] {
  let l = [...logits];
  const keep = (kept: (token: number) => boolean): void => {
    const best = l.indexOf(Math.max(...l));
    l = l.map((x, token) => (token === best || kept(token) ? x : OUT));
  };
  const keepFrom = (lowest: (p: readonly number[]) => number): void => {
    const p = softmax(l);
    const limit = lowest(p);
    keep((token) => at(p, token) >= limit);
  };
  if (sampling.topNSigma > 0) {
    const finite = l.filter((x) => x > OUT);
    const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
    const sigma = Math.sqrt(finite.reduce((a, b) => a + (b - mean) ** 2, 0) / finite.length);
    const lowest = Math.max(...finite) - sampling.topNSigma * sigma;
    keep((token) => at(l, token) >= lowest);
  }
  if (sampling.topK > 0) {
    const top = new Set(byProbability(softmax(l)).slice(0, sampling.topK));
    keep((token) => top.has(token));
  }
  if (sampling.topP < 1) {
    const above = sumsAbove(softmax(l));
    keep((token) => at(above, token) < sampling.topP);
  }
  if (sampling.topA > 0) keepFrom((p) => sampling.topA * Math.max(...p) ** 2);
  if (sampling.minP > 0) keepFrom((p) => sampling.minP * Math.max(...p));
  if (sampling.tailFree < 1) {
    const p = softmax(l);
    const order = byProbability(p);
    const d1 = order.slice(1).map((token, i) => at(p, token) - at(p, at(order, i)));
    const d2 = d1.slice(1).map((d, i) => Math.abs(d - at(d1, i)));
    const total = d2.reduce((a, b) => a + b, 0);
    let sum = 0;
    const cut = d2.map((d) => {
      sum += d;
      return sum > sampling.tailFree * total;
    });
    const dropped = [false, ...cut, true];
    const out = new Set(order.filter((_, rank) => dropped[rank]));
    l = l.map((x, token) => (out.has(token) ? OUT : x));
  }
  if (sampling.etaCutoff > 0) {
    const epsilon = sampling.etaCutoff;
    keepFrom((p) => Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(p))));
  }
  if (sampling.epsilonCutoff > 0) keepFrom(() => sampling.epsilonCutoff);
  if (sampling.typicalP < 1) {
    const p = softmax(l);
    const h = entropy(p);
    const order = p
      .map((_, token) => token)
      .filter((token) => at(p, token) > 0)
      .sort((a, b) => Math.abs(-Math.log(at(p, a)) - h) - Math.abs(-Math.log(at(p, b)) - h));
    let sum = 0;
    const kept = new Set<number>();
    for (const token of order) {
      if (sum >= sampling.typicalP && kept.size > 0) break;
      kept.add(token);
      sum += at(p, token);
    }
    l = l.map((x, token) => (kept.has(token) ? x : OUT));
  }
  return l;
}

/** Mirostat's first token: `mu` is twice `tau` still. */
function mirostatFirst(
  logits: readonly number[],
  { version, tau }: NonNullable<Sampling["mirostat"]>,
): number[] {
  const p = softmax(logits);
  const order = byProbability(p).filter((token) => at(p, token) > 0);
  let count = order.filter((token) => -Math.log2(at(p, token)) <= 2 * tau).length;
  if (version === 1) {
    let products = 0;
    let squares = 0;
    for (let i = 0; i < Math.min(99, order.length - 1); i++) {
      const t = Math.log((i + 2) / (i + 1));
      products += t * Math.log(at(p, at(order, i)) / at(p, at(order, i + 1)));
      squares += t * t;
    }
    const s = products / squares;
    const e = s - 1;
    count = Math.floor(((e * 2 ** (2 * tau)) / (1 - logits.length ** -e)) ** (1 / s));
  }
  const kept = new Set(order.slice(0, Math.max(1, count)));
  return softmax(logits.map((x, token) => (kept.has(token) ? x : OUT)));
}

function dry(
  logits: readonly number[],
  { dry: options }: Sampling,
  all: readonly number[],
  breaks: (token: number) => boolean,
): number[] {
  if (options === null) return [...logits];
  const tokens = options.range === null ? all : all.slice(-options.range);
  return logits.map((x, token) => {
    if (breaks(token)) return x;
    let longest = 0;
    for (let end = 0; end + 1 < tokens.length; end++) {
      if (tokens[end + 1] !== token) continue;
      let same = 0;
      while (
        same <= end &&
        tokens[end - same] === tokens[tokens.length - 1 - same] &&
        !breaks(at(tokens, end - same))
      )
        same++;
      longest = Math.max(longest, same);
    }
    if (longest === 0 || longest < options.allowedLength) return x;
    return x - options.multiplier * options.base ** (longest - options.allowedLength);
  });
}

/** Whether the last `n` tokens are there before, too. */
function wouldRepeat(tokens: readonly number[], n: number): boolean {
  const last = tokens.slice(-n).join();
  if (tokens.length < n) return false;
  for (let start = 0; start + n < tokens.length; start++)
    if (tokens.slice(start, start + n).join() === last) return true;
  return false;
}

export function softmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const weights = logits.map((x) => Math.exp(x - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((x) => x / sum);
}

function entropy(p: readonly number[]): number {
  return -p.reduce((sum, x) => sum + (x > 0 ? x * Math.log(x) : 0), 0);
}

/** The tokens that may come, the likeliest first. */
function byProbability(p: readonly number[]): number[] {
  return p.map((_, token) => token).sort((a, b) => at(p, b) - at(p, a));
}

/** For each token, how likely all the likelier ones are together. */
function sumsAbove(p: readonly number[]): number[] {
  const above = p.map(() => 0);
  let sum = 0;
  for (const token of byProbability(p)) {
    above[token] = sum;
    sum += at(p, token);
  }
  return above;
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error(`there is no place ${index}`);
  return value;
}
