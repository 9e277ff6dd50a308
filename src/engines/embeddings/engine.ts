import type { Served } from "../child-frame.ts";
import { type Batched, Batches, type Waiting } from "./batches.ts";
import { encoded, paramOf, type Turn, tokensOf } from "./inputs.ts";
import type {
  EmbeddingsAsk,
  EmbeddingsEvent,
  EmbeddingsInfo,
  EmbeddingsSpeech,
} from "./protocol.ts";
import type { EmbeddingRuntime } from "./runtime.ts";
import { nextTurn, Tokenising } from "./tokenising.ts";

const ALL = Number.POSITIVE_INFINITY;

type Embed = Extract<EmbeddingsAsk, { type: "embed" }>;

interface Running {
  readonly vectors: Float32Array;
  left: number;
  readonly begins: (tokens: number) => void;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/** An embedding model at work: requests run side by side, their texts in common batches. */
export class EmbeddingEngine implements Served<EmbeddingsSpeech> {
  readonly #runtime: EmbeddingRuntime;
  readonly #batches: Batches;
  readonly #tokenising = new Tokenising();
  readonly #running = new Map<number, Running>();
  #nextId = 1;
  #works = false;

  constructor(runtime: EmbeddingRuntime) {
    this.#runtime = runtime;
    this.#batches = new Batches(runtime.batchTokens);
  }

  get info(): EmbeddingsInfo {
    return this.#runtime.info;
  }

  async run(
    ask: EmbeddingsAsk,
    signal: AbortSignal,
    tell: (event: EmbeddingsEvent) => void,
  ): Promise<EmbeddingsEvent> {
    switch (ask.type) {
      case "embed":
        return this.#embed(ask, signal, tell);
      case "tokenize": {
        const { before, after } = this.#vocabulary;
        const { tokens: bare } = await this.#tokenising.byTurns(ask.keyId, signal, (turn) =>
          encoded(this.#vocabulary, ask.text, ALL, turn),
        );
        const tokens = ask.addSpecialTokens ? [...before, ...bare, ...after] : bare;
        return {
          type: "tokens",
          tokens,
          pieces: tokens.map((token) => this.#runtime.piece(token)),
        };
      }
      case "detokenize": {
        return { type: "text", text: this.#runtime.decode(ask.tokens) };
      }
    }
  }

  get #vocabulary() {
    const { info, before, after } = this.#runtime;
    return {
      ...{ info, before, after },
      slices: (text: string) => this.#runtime.slices(text),
      encode: (text: string) => this.#runtime.encode(text),
    };
  }

  async #embed(
    ask: Embed,
    signal: AbortSignal,
    tell: (event: EmbeddingsEvent) => void,
  ): Promise<EmbeddingsEvent> {
    const { keyId, texts } = ask;
    const waiting = await this.#tokenising.byTurns(keyId, signal, (turn) =>
      this.#waitingOf(ask, turn),
    );
    const promptTokens = waiting.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const vectors = new Float32Array(texts.length * this.info.dimensions);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = () => {
      this.#batches.cancel(keyId, id);
      this.#running.delete(id);
      reject(signal.reason);
    };
    signal.addEventListener("abort", cancel, { once: true });
    const begins = (tokens: number) => tell({ type: "embedding", tokens });
    this.#running.set(id, { vectors, left: texts.length, begins, done: resolve, fail: reject });
    this.#batches.add(keyId, id, waiting);
    void this.#work();
    try {
      await promise;
      return { type: "done", vectors, promptTokens };
    } finally {
      signal.removeEventListener("abort", cancel);
      this.#batches.cancel(keyId, id);
      this.#running.delete(id);
    }
  }

  async #waitingOf({ texts, listed, truncateTo }: Embed, turn: Turn): Promise<Waiting[]> {
    const waiting: Waiting[] = [];
    for (const [index, text] of texts.entries()) {
      const param = paramOf(index, listed);
      const tokens =
        typeof text === "string"
          ? Int32Array.from(await tokensOf(this.#vocabulary, text, truncateTo, param, turn))
          : text;
      waiting.push({ tokens, index });
    }
    return waiting;
  }

  /** One batch after the other while there are any. Never rejects: a batch that fails ends its requests. */
  async #work(): Promise<void> {
    if (this.#works) return;
    this.#works = true;
    while (true) {
      // What came in meanwhile, asks and cancellations, counts for the next batch.
      await nextTurn();
      const batch = this.#batches.next();
      if (batch.length === 0) break;
      this.#tellWork(batch);
      try {
        const vectors = await this.#runtime.embed(batch.map(({ tokens }) => tokens));
        for (const [place, { id, index }] of batch.entries()) this.#keep(id, index, vectors, place);
      } catch (error) {
        for (const { id } of batch) this.#running.get(id)?.fail(error);
      }
    }
    this.#works = false;
  }

  /** A batch that has begun is done, whoever leaves: it counts for those whose texts are in it. */
  #tellWork(batch: readonly Batched[]): void {
    const tokens = new Map<number, number>();
    for (const { id, tokens: own } of batch) tokens.set(id, (tokens.get(id) ?? 0) + own.length);
    for (const [id, count] of tokens) this.#running.get(id)?.begins(count);
  }

  #keep(id: number, index: number, vectors: Float32Array, place: number): void {
    const request = this.#running.get(id);
    if (request === undefined) return;
    const { dimensions } = this.info;
    const vector = vectors.subarray(place * dimensions, (place + 1) * dimensions);
    request.vectors.set(vector, index * dimensions);
    request.left--;
    if (request.left === 0) request.done();
  }
}
