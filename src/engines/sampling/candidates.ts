import { GuideError } from "../guided/guide-error.ts";
import type { Distribution } from "./distribution.ts";

/** The logarithm of 2 ** -149, the smallest 32-bit float there is. */
const LEAST_LOG_PROBABILITY = -149 * Math.LN2;

/**
 * The tokens that samplers still let come, the likeliest first, and how likely they are. Samplers
 * change it in place; none of them leaves it empty. One serves for all tokens of an answer.
 */
export class Candidates {
  readonly ids: Uint32Array;
  readonly logits: Float32Array;
  /** Proportional to the tokens' probabilities; right after `weigh`. */
  readonly weights: Float64Array;
  size = 0;
  /** Tokens of the vocabulary. With fewer candidates, the others' probability is 0. */
  readonly vocabularySize: number;
  readonly #places: Int32Array;
  #placed = false;
  #weighed = false;

  constructor(vocabularySize: number) {
    this.vocabularySize = vocabularySize;
    this.ids = new Uint32Array(vocabularySize);
    this.logits = new Float32Array(vocabularySize);
    this.weights = new Float64Array(vocabularySize);
    this.#places = new Int32Array(vocabularySize).fill(-1);
  }

  /**
   * Begins anew with those of a distribution's tokens that are allowed and can come. `allowed`: a bit a
   * token. Throws where there are none.
   */
  take(distribution: Distribution, allowed: Uint32Array | null): void {
    this.#forget();
    const { ids, logits, size } = distribution;
    if (allowed === null) {
      this.ids.set(ids.subarray(0, size));
      this.logits.set(logits.subarray(0, size));
      this.size = size;
    } else this.#takeSome(distribution, allowed);
    while (this.size > 0 && this.logits[this.size - 1] === Number.NEGATIVE_INFINITY) this.size--;
    this.#weighed = false;
    if (this.size === 0)
      throw new GuideError("What the request rules out leaves no token that may come next.");
  }

  #takeSome({ ids, logits, size }: Distribution, allowed: Uint32Array): void {
    let kept = 0;
    for (let at = 0; at < size; at++) {
      const token = ids[at] ?? 0;
      if ((((allowed[token >>> 5] ?? 0) >>> (token & 31)) & 1) === 0) continue;
      this.ids[kept] = token;
      this.logits[kept] = logits[at] ?? 0;
      kept++;
    }
    this.size = kept;
  }

  /** Brings the weights up to date; returns their sum. */
  weigh(): number {
    const { logits, weights, size } = this;
    let sum = 0;
    if (this.#weighed) {
      for (let at = 0; at < size; at++) sum += weights[at] ?? 0;
      return sum;
    }
    const highest = logits[0] ?? 0;
    for (let at = 0; at < size; at++) {
      const weight = Math.exp((logits[at] ?? 0) - highest);
      weights[at] = weight;
      sum += weight;
    }
    this.#weighed = true;
    return sum;
  }

  /** Keeps the `count` likeliest, at least one. */
  keepFirst(count: number): void {
    this.size = Math.max(1, Math.min(count, this.size));
  }

  /** Leaves out the `count` likeliest, as long as one remains. */
  dropFirst(count: number): void {
    const drop = Math.min(count, this.size - 1);
    if (drop <= 0) return;
    this.#forget();
    this.ids.copyWithin(0, drop, this.size);
    this.logits.copyWithin(0, drop, this.size);
    this.weights.copyWithin(0, drop, this.size);
    this.size -= drop;
  }

  /** Keeps those between two places: from the first one, up to but not including the second. */
  keepRange(from: number, to: number): void {
    this.keepFirst(to);
    this.dropFirst(from);
  }

  /**
   * Another logit for each candidate. It must not change their order. Logits are taken relative to
   * the highest one, which loses the constant that makes them the model's own. Negative infinity takes
   * a token out.
   */
  rescale(logitOf: (belowHighest: number) => number): void {
    const { logits, size } = this;
    const highest = logits[0] ?? 0;
    for (let at = 0; at < size; at++) logits[at] = logitOf((logits[at] ?? 0) - highest);
    while (this.size > 1 && logits[this.size - 1] === Number.NEGATIVE_INFINITY) this.size--;
    this.#weighed = false;
  }

  /** Leaves out what has less than the smallest 32-bit probability, as a distribution does. */
  dropImpossible(): void {
    const lowest = (this.logits[0] ?? 0) + LEAST_LOG_PROBABILITY;
    let size = this.size;
    while (size > 1 && (this.logits[size - 1] ?? 0) < lowest) size--;
    this.size = size;
  }

  /** Where a token stands, -1 where it is no candidate. */
  placeOf(token: number): number {
    if (!this.#placed) {
      const { ids, size } = this;
      for (let at = 0; at < size; at++) this.#places[ids[at] ?? 0] = at;
      this.#placed = true;
    }
    const place = this.#places[token] ?? -1;
    return place < this.size ? place : -1;
  }

  /**
   * Gives some tokens other logits and puts all in order again; negative infinity takes a token out.
   * Where that would leave none, nothing is changed. Tokens that are no candidates are passed over, as
   * is one that comes a second time.
   */
  adjust(tokens: Iterable<number>, logitOf: (logit: number, token: number) => number): void {
    const moved: { token: number; logit: number }[] = [];
    const places: number[] = [];
    for (const token of tokens) {
      const place = this.placeOf(token);
      if (place === -1) continue;
      const logit = this.logits[place] ?? 0;
      const changed = Math.fround(logitOf(logit, token));
      if (changed === logit) continue;
      places.push(place);
      this.#places[token] = -1;
      if (changed !== Number.NEGATIVE_INFINITY) moved.push({ token, logit: changed });
    }
    if (places.length === 0) return;
    if (moved.length === 0 && places.length >= this.size) {
      this.#forget();
      return;
    }
    this.#takeOut(Int32Array.from(places).sort());
    moved.sort((a, b) => b.logit - a.logit);
    this.#putIn(moved);
    this.#weighed = false;
  }

  /** Sorts all of them anew, for samplers that change the order. */
  reorder(): void {
    const { ids, logits, size } = this;
    const order = Uint32Array.from({ length: size }, (_, at) => at);
    const before = logits.slice(0, size);
    const tokens = ids.slice(0, size);
    order.sort((a, b) => (before[b] ?? 0) - (before[a] ?? 0));
    this.#forget();
    order.forEach((from, at) => {
      logits[at] = before[from] ?? 0;
      ids[at] = tokens[from] ?? 0;
    });
    this.#weighed = false;
  }

  /** Closes the gaps at `places`, which ascend. */
  #takeOut(places: Int32Array): void {
    const { ids, logits } = this;
    this.#forget();
    let to = places[0] ?? 0;
    places.forEach((place, index) => {
      const end = places[index + 1] ?? this.size;
      ids.copyWithin(to, place + 1, end);
      logits.copyWithin(to, place + 1, end);
      to += end - place - 1;
    });
    this.size = to;
  }

  /** Merges more tokens in, the likeliest first. */
  #putIn(more: readonly { readonly token: number; readonly logit: number }[]): void {
    const { ids, logits } = this;
    let from = this.size - 1;
    let to = this.size + more.length - 1;
    this.size += more.length;
    for (let next = more.length - 1; next >= 0; next--, to--) {
      const { token, logit } = more[next] ?? { token: 0, logit: 0 };
      while (from >= 0 && (logits[from] ?? 0) < logit) {
        ids[to] = ids[from] ?? 0;
        logits[to] = logits[from] ?? 0;
        from--;
        to--;
      }
      ids[to] = token;
      logits[to] = logit;
    }
  }

  #forget(): void {
    if (this.#placed) this.#places.fill(-1);
    this.#placed = false;
  }
}
