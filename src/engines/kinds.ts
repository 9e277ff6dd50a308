import type { Model } from "../types.ts";
import type { EngineKind, Speech } from "./kind.ts";
import { LLAMA } from "./llama/kind.ts";

/** Every kind of engine: one line each. */
export const KINDS: readonly EngineKind<Speech>[] = [LLAMA];

/** The kind that runs a model, as its file says. */
export function kindOf({ engine }: Model["file"]): EngineKind<Speech> {
  const kind = KINDS.find(({ id }) => id === engine);
  if (kind === undefined) throw new Error(`no engine ${engine}`);
  return kind;
}
