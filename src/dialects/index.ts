import type { Backend, ProviderSettings } from "../types.ts";
import { createOpenAiBackend } from "./openai.ts";

/** A provider as a backend, in the wire format that its file names. */
export function createBackend(settings: ProviderSettings): Backend {
  return createOpenAiBackend(settings);
}
