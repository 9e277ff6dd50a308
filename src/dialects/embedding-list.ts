import type { EmbeddingsInput } from "../contract/embeddings.ts";
import { fieldsOf } from "./fields.ts";

export interface Embedding {
  readonly object: "embedding";
  readonly index: number;
  readonly embedding: readonly number[] | string;
}

/** How many embeddings an input asks for. */
export function embeddingsWanted(input: EmbeddingsInput): number {
  return Array.isArray(input) && typeof input[0] !== "number" ? input.length : 1;
}

/**
 * An upstream's embeddings in the order of the inputs and in the form that was asked for, whichever
 * form it answered in; null unless there is exactly one for each input, and none is empty.
 */
export function readEmbeddings(
  data: unknown,
  wanted: number,
  form: "float" | "base64",
): readonly Embedding[] | null {
  if (!Array.isArray(data) || data.length !== wanted) return null;
  const byIndex = new Map<number, Embedding>();
  for (const [position, item] of data.entries()) {
    const fields = fieldsOf(item);
    const index = typeof fields?.index === "number" ? fields.index : position;
    const embedding = inForm(fields?.embedding, form);
    if (embedding === null || !(index >= 0 && index < wanted)) return null;
    byIndex.set(index, { object: "embedding", index, embedding });
  }
  if (byIndex.size !== wanted) return null;
  return [...byIndex.values()].toSorted((a, b) => a.index - b.index);
}

function inForm(value: unknown, form: "float" | "base64"): readonly number[] | string | null {
  if (typeof value === "string") {
    const numbers = fromBase64(value);
    return numbers !== null && form === "base64" ? value : numbers;
  }
  if (!Array.isArray(value) || value.length === 0) return null;
  if (!value.every((number): number is number => typeof number === "number")) return null;
  return form === "float" ? value : toBase64(value);
}

/** Little-endian 32-bit floats, as in OpenAI's API. */
function toBase64(numbers: readonly number[]): string {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) bytes.writeFloatLE(number, i * 4);
  return bytes.toString("base64");
}

function fromBase64(text: string): readonly number[] | null {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === 0 || bytes.length % 4 > 0) return null;
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}
