import { GatewayError } from "../../contract/errors.ts";
import { type Usage, usageOf } from "../../contract/usage.ts";
import { MOST_SEEN } from "./find-text.ts";
import type { OcrEvent } from "./protocol.ts";
import type { Line } from "./read-page.ts";

/** An image as the extended answer tells of it: sizes and boxes in its pixels, once it is upright. */
export interface ReadImage {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly {
    readonly text: string;
    readonly confidence: number;
    readonly box: readonly (readonly [x: number, y: number])[];
  }[];
}

/** Pixels that are one token of a prompt: of those that are looked at. */
const PIXELS_PER_TOKEN = 2_048;

/**
 * An answer while it is made. Lines end with a line break but for the last; between images is an
 * empty line. A token of it is a character, line breaks included. What was begun elsewhere counts as in any
 * continuation: as part of what was asked, not of the answer.
 */
export class OcrAnswer {
  readonly #images: (ReadImage & { readonly lines: ReadImage["lines"][number][] })[] = [];
  readonly #most: number;
  /** Characters of a begun answer that are yet to be left out. */
  #begun: readonly string[];
  readonly #begunTokens: number;
  #between = "";
  #empty = true;
  #cut = false;
  #promptTokens = 0;
  #pixels = 0;
  #characters = 0;

  /**
   * @param most characters of the answer, without those of its beginning
   * @param begun the beginning of this answer, which somebody has already
   */
  constructor(most: number | null, begun = "") {
    this.#begun = [...begun];
    this.#begunTokens = this.#begun.length;
    this.#most = (most ?? Infinity) + this.#begunTokens;
  }

  /** What the event adds to the answer. @throws GatewayError where it doesn't begin as it was begun */
  push(event: OcrEvent): string {
    switch (event.type) {
      case "image":
        this.#saw(event.width, event.height);
        return "";
      case "line":
        return this.#add(event.line);
      case "done":
        return "";
    }
  }

  /** Whether it has all characters it may have: nothing more comes. */
  get isFull(): boolean {
    return this.#cut;
  }

  get finish(): "stop" | "length" {
    return this.#cut ? "length" : "stop";
  }

  get images(): readonly ReadImage[] {
    return this.#images;
  }

  get promptTokens(): number {
    return this.#promptTokens + this.#begunTokens;
  }

  get completionTokens(): number {
    return Math.max(0, this.#characters - this.#begunTokens);
  }

  get pixels(): number {
    return this.#pixels;
  }

  get usage(): Usage {
    const tokens = usageOf(this.promptTokens, this.completionTokens, 0);
    return { ...tokens, images: this.#images.length, pixels: this.#pixels };
  }

  #saw(width: number, height: number): void {
    this.#images.push({ width, height, lines: [] });
    this.#pixels += width * height;
    this.#promptTokens += Math.ceil(Math.min(width * height, MOST_SEEN) / PIXELS_PER_TOKEN);
    if (!this.#empty) this.#between = "\n\n";
  }

  #add({ text, confidence, box }: Line): string {
    if (this.#cut) return "";
    const added = [...this.#between, ...text];
    this.#between = "\n";
    this.#empty = false;
    this.#images.at(-1)?.lines.push({
      text,
      confidence: round(confidence, 1_000),
      box: box.map(({ x, y }) => [round(x, 10), round(y, 10)] as const),
    });
    const room = this.#most - this.#characters;
    this.#cut = added.length > room;
    const taken = this.#cut ? added.slice(0, room) : added;
    this.#characters += taken.length;
    return this.#afterBegun(taken);
  }

  /** The same page reads the same: what was begun is passed over. */
  #afterBegun(characters: readonly string[]): string {
    const known = this.#begun.slice(0, characters.length);
    if (known.some((character, index) => character !== characters[index]))
      throw new GatewayError("upstream_error", "The images read otherwise than they began to.");
    this.#begun = this.#begun.slice(known.length);
    return characters.slice(known.length).join("");
  }
}

function round(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
