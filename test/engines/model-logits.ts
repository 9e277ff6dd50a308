import { getLlama, LlamaLogLevel, type LlamaModel, type Token } from "node-llama-cpp";
import {
  ANCHOR_LOGIT,
  anchorOf,
  evaluateOptions,
  wholeDistribution,
} from "../../src/engines/llama/sampling.ts";
import { Vocabulary } from "../../src/engines/llama/tokens.ts";
import type { Sampling } from "../../src/engines/protocol.ts";
import { createDistribution, readLogits } from "../../src/engines/sampling/distribution.ts";
import { samplingWith } from "./small-distributions.ts";

/** Weights in this process, asked without a server, so that a test knows what the model itself says. */
export class OpenModel {
  readonly #model: LlamaModel;
  readonly vocabulary: Vocabulary;

  private constructor(model: LlamaModel) {
    this.#model = model;
    this.vocabulary = new Vocabulary(model, "");
  }

  static async load(path: string): Promise<OpenModel> {
    const llama = await getLlama({
      gpu: false,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      maxThreads: 1,
    });
    return new OpenModel(await llama.loadModel({ modelPath: path }));
  }

  /** The model's own logits after these tokens, by token; the one they are measured by is out. */
  async logits(prompt: readonly number[]): Promise<number[]> {
    const whole = wholeDistribution(samplingWith({ repetitionPenalty: 2 }), this.#model);
    const probabilities = await this.#ask(prompt, whole);
    const distribution = createDistribution(this.vocabulary.size);
    readLogits(probabilities, anchorOf(this.#model), ANCHOR_LOGIT, distribution);
    const logits = Array.from({ length: this.vocabulary.size }, () => Number.NEGATIVE_INFINITY);
    for (let at = 0; at < distribution.size; at++)
      logits[distribution.ids[at] ?? 0] = distribution.logits[at] ?? 0;
    return logits;
  }

  /** What the library's own chain makes of a request, by token. */
  async native(
    prompt: readonly number[],
    sampling: Sampling,
  ): Promise<ReadonlyMap<number, number>> {
    const history = { prompt: this.#tokens(prompt), generated: [], allowed: null };
    return this.#ask(prompt, evaluateOptions(sampling, history, this.#model, 512));
  }

  /** The text a token alone adds to an answer. */
  text(token: number): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.bytes(token));
  }

  readonly bytes = (token: number): Uint8Array =>
    this.vocabulary.bytes(this.vocabulary.known(token));

  /** Whether an answer ends with it. */
  ends(token: number): boolean {
    return this.vocabulary.isEndOfGeneration(this.vocabulary.known(token));
  }

  async dispose(): Promise<void> {
    await this.#model.dispose();
  }

  #tokens(ids: readonly number[]): Token[] {
    return ids.map((id) => this.vocabulary.known(id));
  }

  async #ask(
    prompt: readonly number[],
    options: ReturnType<typeof wholeDistribution>,
  ): Promise<ReadonlyMap<number, number>> {
    const context = await this.#model.createContext({ contextSize: 512, threads: 1 });
    const stream = context
      .getSequence()
      .evaluateWithMetadata(this.#tokens(prompt), { probabilities: true }, options);
    const { value } = await stream.next();
    await stream.return();
    await context.dispose();
    if (typeof value !== "object") throw new Error("the model said nothing");
    return value.probabilities;
  }
}
