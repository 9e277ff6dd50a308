import type { Model } from "../types.ts";
import { EMBEDDINGS } from "./embeddings/kind.ts";
import type { EngineKind, Speech } from "./kind.ts";
import { LLAMA } from "./llama/kind.ts";
import { OCR } from "./ocr/kind.ts";
import { UPSCALE } from "./upscale/kind.ts";

/** Every kind of engine: one line each. */
export const KINDS: readonly EngineKind<Speech>[] = [LLAMA, EMBEDDINGS, OCR, UPSCALE];

/** The kind that runs a model, as its file says. */
export function kindOf({ engine, category }: Model["file"]): EngineKind<Speech> {
  // A GGUF of this category is no text model: llama.cpp makes embeddings with it.
  if (engine === "llama" && category === "embeddings") return EMBEDDINGS;
  const kind = KINDS.find(({ id }) => id === engine);
  if (kind === undefined) throw new Error(`no engine ${engine}`);
  return kind;
}

/** npm packages that running this model takes. */
export function requiredBy(file: Model["file"]): readonly string[] {
  const { requires } = kindOf(file);
  return typeof requires === "function" ? requires(file) : requires;
}
