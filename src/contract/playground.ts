import { z } from "zod";
import { ChatChunk, ChatRequest, ChatResponse } from "./chat.ts";
import { ModelList, ModelsQuery } from "./models.ts";
import type { Contract } from "./operations.ts";

/** A picture: a URL, a data URI, or bare base64; or several of them. */
const Picture = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(16)])
  .describe("A picture as an http(s) URL, a data URI or bare base64; or up to 16 of them.");

/** What all fields besides these are: those of a chat. */
const chatFields = {
  model: z.string().min(1).nullish(),
  image: Picture,
  stream: z.boolean().nullish(),
};

/** The body of `POST /api/vision`; other fields are a chat's, and reach the model. */
export const VisionRequest = z.looseObject({
  ...chatFields,
  prompt: z.string().nullish().describe("What is asked of the picture. Default: to describe it."),
});
export type VisionRequest = z.infer<typeof VisionRequest>;

/** The body of `POST /api/ocr`. */
export const OcrRequest = z.looseObject({
  ...chatFields,
  prompt: z.string().nullish().describe("For vision models. Default: to extract all text."),
});
export type OcrRequest = z.infer<typeof OcrRequest>;

const said = {
  success: z.literal(true),
  data: z.looseObject({ content: z.string() }).describe("The answer's text alone."),
};

/** A chat's answer, and its text where a page looks for it. */
export const PlaygroundAnswer = z.looseObject({ ...ChatResponse.shape, ...said });

export const PlaygroundModels = z.looseObject({ ...ModelList.shape, success: z.literal(true) });

const contract = <const C extends Contract>(value: C): C => value;

const ofAChat = {
  method: "POST",
  response: PlaygroundAnswer,
  chunk: ChatChunk,
  auth: "caller",
  meter: "tokens",
} as const;

const ofModels = {
  method: "GET",
  request: null,
  query: ModelsQuery,
  response: PlaygroundModels,
  auth: "caller",
  meter: "none",
} as const;

/** The playground pages' own endpoints, which anybody may use. */
export const PLAYGROUND = {
  chat: contract({
    ...ofAChat,
    operation: "playgroundChat",
    path: "/api/chat",
    request: ChatRequest,
    summary: "Answer a conversation: as /v1/chat/completions, with `success` and `data.content`.",
  }),
  vision: contract({
    ...ofAChat,
    operation: "playgroundVision",
    path: "/api/vision",
    request: VisionRequest,
    summary: "Say something about a picture, by a vision model.",
  }),
  ocr: contract({
    ...ofAChat,
    operation: "playgroundOcr",
    path: "/api/ocr",
    request: OcrRequest,
    summary: "Read the text in a picture.",
  }),
  search: contract({
    ...ofModels,
    operation: "playgroundSearch",
    path: "/api/search",
    summary: "Search the models that can answer, by `q` and `category`.",
  }),
  models: contract({
    ...ofModels,
    operation: "playgroundModels",
    path: "/api/models",
    summary: "List the models that can answer.",
  }),
};
