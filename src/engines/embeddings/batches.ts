/** A text that waits to be embedded: its tokens, and its place in its request. */
export interface Waiting {
  readonly tokens: Int32Array;
  readonly index: number;
}

/** A text of a batch, with the request it is of. */
export interface Batched extends Waiting {
  readonly id: number;
}

/** A text this much shorter than the longest of a batch may join it: so much of it is padding at most. */
const MOST_PADDING = 0.25;

/**
 * Texts of all running requests, put together into batches of about one length, so that little is
 * padding. Keys take turns in leading a batch, and so do the requests of one: a key with a hundred requests
 * delays another's single one by a batch, as a request with a thousand texts does. Pure but for its own state.
 */
export class Batches {
  /** By key and request, the longest text last. Who has led goes to the end. */
  readonly #waiting = new Map<string, Map<number, Waiting[]>>();
  readonly #batchTokens: number;

  /** `batchTokens`: tokens of one batch together, padding included; a longer text is alone in its own. */
  constructor(batchTokens: number) {
    this.#batchTokens = batchTokens;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(keyId: string, id: number, texts: readonly Waiting[]): void {
    if (texts.length === 0) return;
    const requests = this.#waiting.get(keyId) ?? new Map<number, Waiting[]>();
    this.#waiting.set(keyId, requests);
    requests.set(
      id,
      texts.toSorted((a, b) => a.tokens.length - b.tokens.length),
    );
  }

  /** Its texts that are in no batch yet never will be. */
  cancel(keyId: string, id: number): void {
    const requests = this.#waiting.get(keyId);
    if (requests?.delete(id) === true && requests.size === 0) this.#waiting.delete(keyId);
  }

  /** Texts to be embedded together; empty when nothing waits. */
  next(): readonly Batched[] {
    const [leader] = this.#waiting;
    const [request] = leader?.[1] ?? [];
    if (leader === undefined || request === undefined) return [];
    const [keyId, requests] = leader;
    const [id, texts] = request;
    const longest = texts.at(-1)?.tokens.length ?? 0;
    const most = Math.max(1, Math.floor(this.#batchTokens / Math.max(1, longest)));
    const batch: Batched[] = [];
    requests.delete(id);
    requests.set(id, texts);
    this.#waiting.delete(keyId);
    this.#waiting.set(keyId, requests);
    this.#take(id, texts, longest, most, batch);
    for (const others of this.#waiting.values())
      for (const [other, more] of others) {
        if (batch.length >= most) break;
        if (other !== id) this.#take(other, more, longest, most, batch);
      }
    this.#forgetEmpty();
    return batch;
  }

  #forgetEmpty(): void {
    for (const [keyId, requests] of this.#waiting) {
      for (const [id, texts] of requests) if (texts.length === 0) requests.delete(id);
      if (requests.size === 0) this.#waiting.delete(keyId);
    }
  }

  #take(id: number, texts: Waiting[], longest: number, most: number, batch: Batched[]): void {
    const shortest = longest * (1 - MOST_PADDING);
    let end = firstOver(texts, longest);
    const from = end;
    while (end > 0 && batch.length < most) {
      const text = texts[end - 1];
      if (text === undefined || text.tokens.length < shortest) break;
      batch.push({ ...text, id });
      end--;
    }
    texts.splice(end, from - end);
  }
}

/** Where the first text stands that is longer; they are in order of their lengths. */
function firstOver(texts: readonly Waiting[], length: number): number {
  let low = 0;
  let high = texts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((texts[middle]?.tokens.length ?? 0) > length) high = middle;
    else low = middle + 1;
  }
  return low;
}
