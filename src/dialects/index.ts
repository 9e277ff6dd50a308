import type { Backend, JsonObject, ProviderSettings } from "../types.ts";
import { embedding } from "./embeddings.ts";
import { generation } from "./generate.ts";
import { Images, imageTarget } from "./images.ts";
import { ollamaDialect } from "./ollama.ts";
import { openAiDialect } from "./openai.ts";
import { detokenizing, tokenizing } from "./tokenize.ts";
import { refuseUpscaler, upscaling } from "./upscale.ts";
import { unsupportedUpscale } from "./upscale-request.ts";
import { Upstream } from "./upstream.ts";
import type { DialectOptions, Generation } from "./wire.ts";

export type { DialectOptions, KeyRest } from "./wire.ts";

/** A provider as a backend, in the wire format that its file names. */
export function createBackend(settings: ProviderSettings, options: DialectOptions = {}): Backend {
  const upstream = new Upstream(settings, options.onRest);
  const dialect =
    settings.file.dialect === "ollama" ? ollamaDialect(settings) : openAiDialect(settings, options);
  const generate = (operation: Generation) => generation(upstream, dialect, operation);
  const chat = generate("chat");
  const complete = generate("completions");
  const tokenize = tokenizing(upstream, options.renderChat);
  const images = options.images ?? new Images();
  const place = imageTarget(settings);
  return {
    id: settings.id,
    name: nameOf(settings),
    operations: {
      chat: async (target, input, context) => {
        refuseUpscaler(target);
        const messages = await images.prepare(input.messages, place, context);
        return chat(target, { ...input, messages }, context);
      },
      completions: async (target, input, context) => {
        refuseUpscaler(target);
        return complete(target, input, context);
      },
      embeddings: embedding(upstream),
      upscale: upscaling(upstream, images),
      tokenize: async (target, input, context) => {
        if (input.messages === undefined) return tokenize(target, input, context);
        // A server that renders a conversation fetches what it names.
        const messages = await images.prepare(input.messages, place, context);
        return tokenize(target, { ...input, messages: [...messages] }, context);
      },
      detokenize: detokenizing(upstream),
    },
    state: (target) => upstream.state(target.upstreamId),
    trouble: () => upstream.trouble(),
    keys: (now) => upstream.keys(now),
    unsupported: (target, operation, input: JsonObject) => {
      if (operation === "upscale") return unsupportedUpscale(settings, target, input);
      return operation === "chat" || operation === "completions"
        ? dialect.unsupported(target, operation, input)
        : [];
    },
  };
}

/** A hosted service has a name of its own; one server of a kind is called as its owner calls it. */
function nameOf({ id, file }: ProviderSettings): string {
  return file.base_url === undefined ? id : file.name;
}
