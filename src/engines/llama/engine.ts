import {
  GgmlType,
  getLlama,
  type LlamaContext,
  LlamaLogLevel,
  type LlamaModel,
} from "node-llama-cpp";
import { chatFormat, markersIn, NO_FORMAT } from "../chat-format.ts";
import { type Guide, GuideError, type Guides } from "../guided/guide.ts";
import type { GuideSpec } from "../guided/spec.ts";
import { HARMONY_MARKS } from "../harmony/marks.ts";
import type {
  ChildEvent,
  GenerateOptions,
  LoadOptions,
  PromptSource,
  ReadyInfo,
} from "../protocol.ts";
import { afterThinking, mightOpen } from "../reasoning/first.ts";
import { SEAL } from "../sealed.ts";
import { Turns } from "../turns.ts";
import { BatchLoop } from "./batch.ts";
import { ChoosingRoom } from "./choose.ts";
import { DoneOnce } from "./done-once.ts";
import { Generation, type Workshop } from "./generate.ts";
import { type Prompt, Prompts } from "./prompts.ts";
import { GuardedTemplate } from "./template.ts";
import { Vocabulary } from "./tokens.ts";

type Emit = (events: readonly ChildEvent[]) => void;

export interface EngineHandlers {
  readonly emit: Emit;
  /** A loaded model has stopped working. */
  readonly broken: (error: unknown) => void;
  /** More of the model is loaded. */
  readonly progress: () => void;
}

const KV_TYPES = { f16: GgmlType.F16, q8_0: GgmlType.Q8_0, q4_0: GgmlType.Q4_0 } as const;

/** One loaded GGUF model. Answers go out through `emit`, by the ids of their requests. */
export class LlamaEngine {
  readonly info: ReadyInfo;
  readonly #workshop: Workshop;
  /** Made when they are first asked for, by whoever asks. */
  readonly #guides: DoneOnce<Guides>;
  readonly #vocabulary: Vocabulary;
  readonly #prompts: Prompts;
  readonly #loop: BatchLoop;
  readonly #emit: Emit;
  readonly #sharesPrefixes: boolean;
  readonly #turns = new Turns();
  /** Answers whose prompts are being tokenised. */
  readonly #beginning = new Set<number>();

  private constructor(
    model: LlamaModel,
    context: LlamaContext,
    options: LoadOptions,
    { emit, broken }: EngineHandlers,
  ) {
    // The library rounds the context up; what was asked for is the limit.
    const contextSize = Math.min(options.contextSize, context.contextSize);
    const source = options.template ?? model.fileInfo.metadata.tokenizer.chat_template ?? null;
    this.#vocabulary = new Vocabulary(model, source ?? "");
    const { bosText: bosToken, eosText: eosToken } = this.#vocabulary;
    const told =
      source === null ? NO_FORMAT : chatFormat(source, { bosToken, eosToken }, options.thinking);
    const sealed = told.harmony !== null && this.#vocabulary.seal(HARMONY_MARKS);
    const format = sealed ? { ...told, harmony: { seal: SEAL } } : told;
    this.#vocabulary.show(markersIn(format));
    this.#workshop = {
      model,
      vocabulary: this.#vocabulary,
      room: new ChoosingRoom(this.#vocabulary, model),
      contextSize,
    };
    this.#guides = new DoneOnce(() => this.#vocabulary.guides());
    const chat = source === null ? null : new GuardedTemplate(source, this.#vocabulary);
    this.#prompts = new Prompts(this.#vocabulary, chat, contextSize, format);
    this.#loop = new BatchLoop(context, emit, broken);
    this.#emit = emit;
    this.#sharesPrefixes = options.sharedPrefixes;
    const { size: vocabularySize, longestToken } = this.#vocabulary;
    this.info = { contextSize, vocabularySize, longestToken, chat: format };
  }

  /** Rejects when the weights can't be read. */
  static async load(options: LoadOptions, handlers: EngineHandlers): Promise<LlamaEngine> {
    const { path, contextSize, sequences, threads } = options;
    const llama = await getLlama({
      gpu: options.gpu ? "auto" : false,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      maxThreads: threads,
    });
    const { progress } = handlers;
    progress();
    const model = await llama.loadModel({ modelPath: path, onLoadProgress: progress });
    progress();
    const context = await model.createContext({
      contextSize,
      sequences,
      threads,
      batchSize: options.batchSize,
      // The library's name for it says "experimental"; llama.cpp's own options of this kind are not.
      experimentalKvCacheKeyType: KV_TYPES[options.kvType],
      experimentalKvCacheValueType: KV_TYPES[options.kvType],
      failedCreationRemedy: false,
    });
    progress();
    return new LlamaEngine(model, context, options, handlers);
  }

  /** `owner`: whose answer it is; state is kept for others only where prefixes are shared. */
  async generate(id: number, options: GenerateOptions, owner: string): Promise<void> {
    const generation = await this.#whileWanted(id, this.#begin(options));
    if (generation === null) return;
    this.#loop.add(id, generation, this.#sharesPrefixes ? "" : owner);
  }

  *#begin(options: GenerateOptions): Generator<void, Generation, void> {
    const { prefill, maxTokens } = options;
    const prompt = yield* this.#prompts.forAnswer(options.prompt, prefill);
    const left = this.info.contextSize - prompt.tokens.length;
    const limit = Math.min(left, maxTokens ?? left);
    const { spec, formAtOnce } = yield* this.#specOf(options, prompt);
    const guide = spec === null ? null : yield* this.#guideOf(spec, prefill);
    return new Generation({ ...prompt, formAtOnce }, limit, options, guide, this.#workshop);
  }

  /** A form that could begin with the mark that opens thinking has none in front of it. */
  *#specOf(
    { guide, prompt: source }: GenerateOptions,
    prompt: Prompt,
  ): Generator<void, { readonly spec: GuideSpec | null; readonly formAtOnce: boolean }, void> {
    const { thinking } = this.info.chat;
    const first = source.kind === "chat" ? source.thinksFirst : null;
    if (guide === null || thinking === null || first === null)
      return { spec: guide, formAtOnce: false };
    const after = (at: "inside" | "before") => ({
      spec: afterThinking(guide, thinking, at, first),
      formAtOnce: false,
    });
    if (prompt.thinking) return after("inside");
    const offered = prompt.mayThink && !(yield* this.#canBegin(guide, thinking.open));
    return offered ? after("before") : { spec: guide, formAtOnce: true };
  }

  *#canBegin(form: GuideSpec, text: string): Generator<void, boolean, void> {
    if (!mightOpen(form, text)) return false;
    try {
      yield* this.#guideOf(form, text);
      return true;
    } catch (error) {
      if (error instanceof GuideError) return false;
      throw error;
    }
  }

  /** Where an answer goes on that was begun, its guide is told of the beginning. */
  *#guideOf(spec: GuideSpec, prefill: string | null): Generator<void, Guide, void> {
    const guides = yield* this.#guides.result();
    yield;
    const guide = guides.compile(spec);
    if (prefill !== null) guide.acceptBytes(new TextEncoder().encode(prefill));
    return guide;
  }

  /** Does work for a request piece by piece; null when it is cancelled meanwhile. */
  async #whileWanted<Result>(
    id: number,
    work: Iterator<void, Result, void>,
  ): Promise<Result | null> {
    this.#beginning.add(id);
    try {
      const result = await this.#turns.run(work, () => this.#beginning.has(id));
      return this.#beginning.has(id) ? result : null;
    } finally {
      this.#beginning.delete(id);
    }
  }

  cancel(id: number): void {
    this.#beginning.delete(id);
    this.#loop.cancel(id);
  }

  async tokenize(id: number, prompt: PromptSource): Promise<void> {
    const tokens = await this.#whileWanted(id, this.#prompts.encode(prompt));
    if (tokens === null) return;
    const pieces = tokens.map((token) => this.#vocabulary.text(token));
    this.#emit([{ type: "tokens", id, tokens, pieces }]);
  }

  detokenize(id: number, tokens: readonly number[]): void {
    const known = tokens.map((token, index) => this.#prompts.checked(token, `tokens[${index}]`));
    this.#emit([{ type: "text", id, text: this.#vocabulary.decode(known) }]);
  }
}
