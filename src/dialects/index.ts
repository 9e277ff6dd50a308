import type { Backend, ProviderSettings } from "../types.ts";
import { createOpenAiBackend } from "./openai.ts";

/** A provider as a backend, in the wire format that its file names. */
export function createBackend(settings: ProviderSettings): Backend {
  return { ...createOpenAiBackend(settings), name: nameOf(settings) };
}

/** A hosted service has a name of its own; one server of a kind is called as its owner calls it. */
function nameOf({ id, file }: ProviderSettings): string {
  return file.base_url === undefined ? id : file.name;
}
