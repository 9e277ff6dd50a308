import type { LlamaModel, Token } from "node-llama-cpp";
import { byteLevelBytes } from "../../lib/token-text.ts";
import { createGuides, type Guides } from "../guided/guide.ts";
import { layOut } from "../guided/token-trie.ts";
import { guideBytes, plainGuideBytes, SEAL } from "../sealed.ts";
import { type Markers, markersOf, type TokenFacts } from "./markers.ts";
import type { PromptPiece } from "./protected-text.ts";
import { apartInByteLevel, apartInSentencePiece, TextSlicer } from "./slices.ts";
import type { TemplateVocabulary } from "./template.ts";

const SPACE_MARK = /\u2581/g;
const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/;
const EMPTY = new Uint8Array();
/** Tokens that are looked at between two yields: about a millisecond. */
const SLICE = 1_000;

/** Text to tokens and back for one loaded model. */
export class Vocabulary implements TemplateVocabulary {
  readonly size: number;
  readonly bosText: string;
  readonly eosText: string;
  /** Length of the longest token's text; none stands for more characters of a text. */
  readonly longestToken: number;
  readonly #model: LlamaModel;
  readonly #texts: readonly string[];
  readonly #byteLevel: boolean;
  /** Whether this is SentencePiece with a space in front of every text. */
  readonly #addsSpace: boolean;
  readonly #markers: Markers;
  readonly #slicer: TextSlicer;
  readonly #bytes = new Map<Token, Uint8Array>();
  readonly #encoder = new TextEncoder();
  /** Control tokens that are part of an answer's text. */
  readonly #shown = new Set<Token>();
  readonly #sealed = new Set<Token>();

  /** `template` is the source of the model's chat template, or empty. */
  constructor(model: LlamaModel, template: string) {
    const { ggml } = model.fileInfo.metadata.tokenizer;
    this.#model = model;
    this.#texts = ggml.tokens;
    this.#byteLevel = ggml.model === "gpt2";
    this.#addsSpace = ggml.model === "llama" && ggml.add_space_prefix !== false;
    this.size = ggml.tokens.length;
    this.bosText = model.tokens.bosString ?? "";
    this.eosText = model.tokens.eosString ?? "";
    this.longestToken = this.#texts.reduce((longest, text) => Math.max(longest, text.length), 1);
    const facts = [...model.iterateAllTokens()].map((token) => this.#facts(token));
    this.#markers = markersOf(facts, template);
    this.#slicer = new TextSlicer({
      apart: this.#apart(ggml.model),
      specials: facts
        .filter(
          ({ text, control, unknown, userDefined }) => text && (control || unknown || userDefined),
        )
        .map(({ text }) => text),
      swallowing: [...model.iterateAllTokens()]
        .filter((token) => model.getTokenAttributes(token).lstrip)
        .map((token) => this.text(token)),
    });
  }

  get controlTexts(): readonly string[] {
    return this.#markers.texts;
  }

  get ofAssistant(): ReadonlySet<string> {
    return this.#markers.ofAssistant;
  }

  has(token: number): token is Token {
    return Number.isInteger(token) && token >= 0 && token < this.size;
  }

  /** A number that is known to be a token. */
  known(token: number): Token {
    if (this.has(token)) return token;
    throw new Error(`${token} is no token of this model`);
  }

  /** All tokens that end an answer. */
  get endTokens(): readonly Token[] {
    return [...this.#model.iterateAllTokens()].filter((token) => this.isEndOfGeneration(token));
  }

  /** What guided answers are held to by this vocabulary. Other work may be done at every yield. */
  *guides(): Generator<void, Guides, void> {
    const bytes: Uint8Array[] = [];
    for (let token = 0; token < this.size; token++) {
      const known = this.known(token);
      const isSealed = this.#sealed.has(known);
      const text = `${SEAL}${this.text(known)}`;
      bytes.push(isSealed ? guideBytes(text) : plainGuideBytes(this.bytes(known)));
      if (token % SLICE === 0) yield;
    }
    const ends = this.endTokens;
    yield;
    return createGuides(yield* layOut(bytes, ends));
  }

  /** A mark within an answer ends none, though llama.cpp takes `<|end|>` for one that does. */
  isEndOfGeneration(token: Token): boolean {
    return this.#model.isEogToken(token) && !this.#sealed.has(token);
  }

  /**
   * From now on these texts come as marks that no other token can write, where each is a token of its
   * own; else nothing is done, and false is said.
   */
  seal(texts: readonly string[]): boolean {
    const tokens = texts.map((text) => this.#texts.indexOf(text));
    if (tokens.includes(-1)) return false;
    for (const token of tokens) this.#sealed.add(this.known(token));
    return true;
  }

  /** What a sealed mark adds to an answer's text; null for any other token. */
  sealed(token: Token): Uint8Array | null {
    return this.#sealed.has(token) ? this.#encoder.encode(`${SEAL}${this.text(token)}`) : null;
  }

  /**
   * A prompt's tokens; begins with the BOS token exactly once where the vocabulary wants one. A text
   * that `continues` another gets no space of SentencePiece's in front. Every yield is a place where
   * other work may be done.
   */
  *encode(
    pieces: readonly PromptPiece[],
    addSpecialTokens: boolean,
    continues = false,
  ): Generator<void, Token[], void> {
    const tokens: Token[] = [];
    for (const { text, literal } of pieces)
      for (const slice of this.#slices(text, literal)) {
        const continued = (continues || tokens.length > 0) && this.#addsSpace;
        const encoded =
          !continued || (!literal && this.#slicer.beginsSpecial(slice, 0))
            ? this.#model.tokenize(slice, !literal)
            : this.#encodeContinuation(slice, !literal);
        for (const token of encoded) tokens.push(token);
        yield;
      }
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    if (addSpecialTokens && shouldPrependBosToken && bos !== null && tokens[0] !== bos)
      tokens.unshift(bos);
    return tokens;
  }

  /**
   * The text of tokens. A BOS token at the beginning, and the space SentencePiece puts before a
   * text and after a special token, belong to the encoding and not to the text: `decode` undoes
   * `encode`.
   */
  decode(tokens: readonly Token[]): string {
    const parts = this.parts(tokens);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(parts));
  }

  /** The bytes of each token in the text that `decode` gives. */
  parts(tokens: readonly Token[]): Uint8Array[] {
    let begins = true;
    return tokens.map((token, index) => {
      if (index === 0 && token === this.#model.tokens.bos) return EMPTY;
      const bytes = this.bytes(token, true);
      const part = begins && this.#addsSpace && bytes[0] === 0x20 ? bytes.subarray(1) : bytes;
      const { control, unknown, userDefined } = this.#model.getTokenAttributes(token);
      begins = control || unknown || userDefined;
      return part;
    });
  }

  /**
   * The bytes one token adds to a text. Control tokens add none but for those that are shown, and for
   * all with `showControl`. An answer's
   * first token keeps the space it stands for, as in llama.cpp's own server.
   */
  bytes(token: Token, showControl = false): Uint8Array {
    const attributes = this.#model.getTokenAttributes(token);
    if ((attributes.control && !this.#shown.has(token)) || attributes.unknown)
      return showControl ? this.#encoder.encode(this.text(token)) : EMPTY;
    const known = this.#bytes.get(token);
    if (known !== undefined) return known;
    const bytes = this.#plainBytes(this.text(token), attributes.userDefined);
    this.#bytes.set(token, bytes);
    return bytes;
  }

  /**
   * The plain tokens, no markers among them, that a text with these bytes in front can begin with:
   * those that have all of the bytes, and with `shorter` those that have some.
   */
  beginnings(bytes: Uint8Array, shorter: boolean): Token[] {
    return [...this.#model.iterateAllTokens()].filter((token) => {
      const own = this.bytes(token);
      const common = Math.min(own.length, bytes.length);
      if (common < (shorter ? 1 : bytes.length)) return false;
      for (let at = 0; at < common; at++) if (own[at] !== bytes[at]) return false;
      const { control, userDefined } = this.#model.getTokenAttributes(token);
      return !control && !userDefined;
    });
  }

  /**
   * From now on control tokens out of which these texts are made are part of an answer's text, but for
   * those that end one.
   */
  show(texts: readonly string[]): void {
    for (const token of this.#model.iterateAllTokens()) {
      const { text, control, ends } = this.#facts(token);
      const marks = control && !ends && text !== "" && texts.some((each) => each.includes(text));
      if (!marks) continue;
      this.#shown.add(token);
      this.#bytes.set(token, this.#encoder.encode(text));
    }
  }

  /** A token as the vocabulary writes it: `▁Hello`, `<0x0A>`, `Ġthe`. */
  text(token: Token): string {
    return this.#texts[token] ?? "";
  }

  #plainBytes(text: string, userDefined: boolean): Uint8Array {
    const byte = BYTE_TOKEN.exec(text)?.[1];
    if (byte !== undefined && !userDefined) return Uint8Array.of(Number.parseInt(byte, 16));
    if (this.#byteLevel)
      return (userDefined ? null : byteLevelBytes(text)) ?? this.#encoder.encode(text);
    return this.#encoder.encode(userDefined ? text : text.replace(SPACE_MARK, " "));
  }

  #facts(token: Token): TokenFacts {
    const { control, unknown, userDefined } = this.#model.getTokenAttributes(token);
    const ends = this.#model.isEogToken(token);
    return { text: this.text(token), control, unknown, userDefined, ends };
  }

  #apart(kind: string): (before: number, after: number) => boolean {
    if (kind === "llama") return apartInSentencePiece(this.#texts);
    return this.#byteLevel ? apartInByteLevel : () => false;
  }

  /** A marker that is a token in any text is taken apart, to be one in none. */
  #slices(text: string, literal: boolean): Iterable<string> {
    return literal && this.#markers.inAnyText.has(text) ? text : this.#slicer.slices(text);
  }

  /** Tokens of a text that goes on another one: without SentencePiece's space in front. */
  #encodeContinuation(text: string, special: boolean): Token[] {
    const before = this.#model.tokenize("\n");
    const tokens = this.#model.tokenize(`\n${text}`, special);
    return before.every((token, index) => tokens[index] === token)
      ? tokens.slice(before.length)
      : this.#model.tokenize(text, special);
  }
}
