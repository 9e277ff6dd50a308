import { ChatRequest } from "../contract/chat.ts";
import { CompletionRequest } from "../contract/completions.ts";
import { EmbeddingsRequest } from "../contract/embeddings.ts";
import { GatewayError } from "../contract/errors.ts";
import { streamOptions } from "../contract/sampling.ts";
import { DetokenizeRequest, TokenizeRequest } from "../contract/tokenize.ts";
import { unknownFields } from "../contract/unknown-fields.ts";
import { UpscaleInput } from "../contract/upscale.ts";
import { parseRequest } from "../contract/validate.ts";
import type { JsonObject, Operation, OperationInput } from "../types.ts";
import type { Incoming } from "./call.ts";
import { type Preferences, preferencesOf, unknownWishes, withoutRouting } from "./preferences.ts";

type Reader<O extends Operation> = (body: unknown, lenient: boolean) => OperationInput[O];

const READERS: { readonly [O in Operation]: Reader<O> } = {
  chat: (body, lenient) => {
    refusePromptAlone(body);
    return parseRequest(ChatRequest, body, { lenient });
  },
  completions: (body, lenient) => parseRequest(CompletionRequest, body, { lenient }),
  embeddings: (body, lenient) => parseRequest(EmbeddingsRequest, body, { lenient }),
  tokenize: (body, lenient) => parseRequest(TokenizeRequest, body, { lenient }),
  detokenize: (body, lenient) => parseRequest(DetokenizeRequest, body, { lenient }),
  upscale: (body, lenient) => parseRequest(UpscaleInput, body, { lenient }),
};

/** Answered in events where that is asked for. Others are answered whole: a `stream` is told as dropped. */
const STREAMED: ReadonlySet<Operation> = new Set(["chat", "completions"]);

/** A validated request: what is for the target, and what is for us. */
export interface ReadRequest<O extends Operation> {
  readonly input: OperationInput[O] & JsonObject;
  readonly wishes: Preferences;
  readonly streams: boolean;
  /** Whether a stream's usage was asked for. */
  readonly wantsUsage: boolean;
  /** Wishes that nobody here fulfils: told as dropped. */
  readonly unknownWishes: readonly string[];
}

/** @throws GatewayError 400, 413, 415 */
export async function read<O extends Operation>(
  operation: O,
  incoming: Incoming,
  lenient: boolean,
): Promise<ReadRequest<O>> {
  const sent = withModel(await incoming.body());
  const isStreamable = STREAMED.has(operation);
  const body = isStreamable ? sent : withoutStream(sent);
  const asked: JsonObject & OperationInput[O] = READERS[operation](body, lenient);
  return {
    input: withoutRouting(asked),
    wishes: preferencesOf(asked, incoming.headers),
    streams: asked.stream === true,
    wantsUsage: isOn(asked.stream_options, "include_usage") || isOn(asked.usage, "include"),
    unknownWishes: [
      ...unknownWishes(asked.provider),
      ...unreadStreamOptions(asked.stream_options),
      ...(!isStreamable && isOn(sent, "stream") ? ["stream"] : []),
      ...(Array.isArray(asked.transforms) && asked.transforms.length > 0 ? ["transforms"] : []),
    ],
  };
}

/** What completions take, sent to a chat: the schema could only say what is missing. */
function refusePromptAlone(body: unknown): void {
  if (typeof body !== "object" || body === null || "messages" in body || !("prompt" in body))
    return;
  throw new GatewayError(
    "invalid_request",
    'A chat takes \'messages\', such as [{"role": "user", "content": "…"}]; a \'prompt\' alone is for POST /v1/completions.',
    { param: "messages" },
  );
}

/** OpenRouter's clients may name only `models`: the first of them is asked for then. */
function withModel(body: unknown): unknown {
  if (typeof body !== "object" || body === null || "model" in body) return body;
  if (!("models" in body) || !Array.isArray(body.models) || body.models.length === 0) return body;
  return { ...body, model: body.models[0] };
}

/** What a stream can have is done here, for every target. */
function unreadStreamOptions(options: unknown): string[] {
  const unread = unknownFields(streamOptions, options, "stream_options");
  // Off is what it is; on would pad events against those who watch their sizes.
  return isOn(options, "include_obfuscation")
    ? [...unread, "stream_options.include_obfuscation"]
    : unread;
}

function withoutStream(body: unknown): unknown {
  if (typeof body !== "object" || body === null || !("stream" in body)) return body;
  const { stream: _, ...rest } = body;
  return rest;
}

function isOn(options: unknown, name: string): boolean {
  return typeof options === "object" && options !== null && Reflect.get(options, name) === true;
}
