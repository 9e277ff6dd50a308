import { open } from "node:fs/promises";
import { UserError } from "../lib/user-error.ts";

/**
 * The facts a GGUF file tells about itself. Format: ggml's docs/gguf.md, versions 2 and 3. Arrays
 * (vocabularies, mostly) are skipped.
 */
export type GgufMetadata = ReadonlyMap<string, string | number | boolean>;

/** Bytes of each fixed-size value type, by its number. */
const FIXED: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const STRING = 8;
const ARRAY = 9;

/** The metadata goes on past the bytes that were read. */
class Short extends Error {}

class Cursor {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  skip(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#view.byteLength) throw new Short();
    this.#at = start + bytes;
    return start;
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  u64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true));
  }

  text(): string {
    const length = this.u64();
    const start = this.skip(length);
    return new TextDecoder().decode(
      new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length),
    );
  }

  /** Those of an array's texts that have these places. */
  texts(places: ReadonlySet<number>): Map<number, string> {
    const inner = this.u32();
    const length = this.u64();
    const found = new Map<number, string>();
    if (inner !== STRING) return found;
    for (let index = 0; index < length; index++) {
      if (places.has(index)) found.set(index, this.text());
      else this.skip(this.u64());
    }
    return found;
  }

  /** A value of a type; undefined for an array. */
  value(type: number): string | number | boolean | undefined {
    if (type === STRING) return this.text();
    if (type === ARRAY) {
      const inner = this.u32();
      const length = this.u64();
      const bytes = FIXED[inner];
      if (bytes !== undefined) this.skip(length * bytes);
      else for (let index = 0; index < length; index++) this.value(inner);
      return undefined;
    }
    const bytes = FIXED[type];
    if (bytes === undefined) throw new UserError(`unknown GGUF value type ${type}`);
    const at = this.skip(bytes);
    const view = this.#view;
    if (type === 0) return view.getUint8(at);
    if (type === 1) return view.getInt8(at);
    if (type === 2) return view.getUint16(at, true);
    if (type === 3) return view.getInt16(at, true);
    if (type === 4) return view.getUint32(at, true);
    if (type === 5) return view.getInt32(at, true);
    if (type === 6) return view.getFloat32(at, true);
    if (type === 7) return view.getUint8(at) !== 0;
    if (type === 10) return Number(view.getBigUint64(at, true));
    if (type === 11) return Number(view.getBigInt64(at, true));
    return view.getFloat64(at, true);
  }
}

/** Parses from the file's beginning; undefined when the metadata is longer than `bytes`. */
export function parseGguf(bytes: Uint8Array): GgufMetadata | undefined {
  try {
    const cursor = new Cursor(bytes);
    if (cursor.u32() !== 0x46554747) throw new UserError("it does not begin as a GGUF file does");
    const version = cursor.u32();
    if (version < 2 || version > 3) throw new UserError(`GGUF version ${version} is not known`);
    cursor.u64();
    const count = cursor.u64();
    const metadata = new Map<string, string | number | boolean>();
    for (let index = 0; index < count; index++) {
      const key = cursor.text();
      const value = cursor.value(cursor.u32());
      if (value !== undefined) metadata.set(key, value);
    }
    return metadata;
  } catch (error) {
    if (error instanceof Short) return undefined;
    throw error;
  }
}

/**
 * The texts of some tokens, by their numbers: those among `tokens` that the vocabulary has.
 * Undefined when the metadata is longer than `bytes`.
 */
export function tokenTexts(
  bytes: Uint8Array,
  tokens: ReadonlySet<number>,
): ReadonlyMap<number, string> | undefined {
  try {
    const cursor = new Cursor(bytes);
    cursor.skip(16);
    const count = cursor.u64();
    for (let index = 0; index < count; index++) {
      const key = cursor.text();
      const type = cursor.u32();
      if (key === "tokenizer.ggml.tokens" && type === ARRAY) return cursor.texts(tokens);
      cursor.value(type);
    }
    return new Map();
  } catch (error) {
    if (error instanceof Short) return undefined;
    throw error;
  }
}

const FIRST_READ = 16 * 2 ** 20;
const LAST_READ = 256 * 2 ** 20;

/** Throws `UserError` when the file is not a GGUF file. */
export function readGguf(file: string): Promise<GgufMetadata> {
  return readGgufHead(file, parseGguf);
}

/**
 * What `parse` makes of the file's beginning, of which it is given more until it has enough. Throws
 * `UserError` when the file is not a GGUF file.
 */
export async function readGgufHead<Result>(
  file: string,
  parse: (bytes: Uint8Array) => Result | undefined,
): Promise<Result> {
  const handle = await open(file, "r");
  try {
    for (let length = FIRST_READ; length <= LAST_READ; length *= 4) {
      const buffer = new Uint8Array(length);
      const { bytesRead } = await handle.read(buffer, 0, length, 0);
      const parsed = parse(buffer.subarray(0, bytesRead));
      if (parsed !== undefined) return parsed;
      if (bytesRead < length) break;
    }
    throw new UserError("its metadata is cut off");
  } finally {
    await handle.close();
  }
}

export interface GgufFacts {
  readonly name: string | null;
  readonly license: string | null;
  readonly parameters: string | null;
  readonly contextLength: number | null;
  /** Bytes of 16-bit key-value cache per token. */
  readonly kvBytesPerToken: number | null;
  /** It says how its tokens are pooled into one vector: it makes embeddings, and no text. */
  readonly embeds: boolean;
}

/** `pooling_type`: mean, first token, last token; 0 is none and 4 a ranker's. */
const POOLS: ReadonlySet<unknown> = new Set([1, 2, 3]);

export function factsOf(metadata: GgufMetadata): GgufFacts {
  const text = (key: string) => {
    const value = metadata.get(key);
    return typeof value === "string" && value !== "" ? value : null;
  };
  const architecture = text("general.architecture");
  const number = (key: string) => {
    const value = metadata.get(`${architecture}.${key}`);
    return typeof value === "number" && value > 0 ? value : null;
  };
  const layers = number("block_count");
  const heads = number("attention.head_count");
  const kvHeads = number("attention.head_count_kv") ?? heads;
  const width = number("embedding_length");
  const head = heads !== null && width !== null ? width / heads : null;
  const keyLength = number("attention.key_length") ?? head;
  const valueLength = number("attention.value_length") ?? head;
  return {
    name: text("general.name"),
    license: text("general.license"),
    parameters: text("general.size_label"),
    contextLength: number("context_length"),
    kvBytesPerToken:
      layers !== null && kvHeads !== null && keyLength !== null && valueLength !== null
        ? layers * kvHeads * (keyLength + valueLength) * 2
        : null,
    embeds: POOLS.has(number("pooling_type")),
  };
}
