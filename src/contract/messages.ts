import { z } from "zod";
import { ToolCall } from "./tools.ts";

/** Where a provider may cut its prompt cache: OpenRouter's and Anthropic's. */
const cacheControl = { cache_control: z.unknown().optional() };

const TextPart = z.looseObject({ type: z.literal("text"), text: z.string(), ...cacheControl });

const UserPart = z.discriminatedUnion("type", [
  TextPart,
  z.looseObject({
    type: z.literal("image_url"),
    image_url: z.looseObject({
      url: z.string().min(1),
      detail: z.enum(["auto", "low", "high"]).optional(),
    }),
    ...cacheControl,
  }),
  z.looseObject({
    type: z.literal("input_audio"),
    input_audio: z.looseObject({ data: z.string(), format: z.enum(["wav", "mp3"]) }),
  }),
  z.looseObject({
    type: z.literal("file"),
    file: z.looseObject({
      filename: z.string().optional(),
      file_data: z.string().optional(),
      file_id: z.string().optional(),
    }),
  }),
  z.looseObject({
    type: z.literal("video_url"),
    video_url: z.looseObject({ url: z.string().min(1) }),
  }),
]);
/** A piece of a user's message. `video_url` is vLLM's and OpenRouter's, the others are OpenAI's. */
export type UserPart = z.infer<typeof UserPart>;

const AssistantPart = z.discriminatedUnion("type", [
  TextPart,
  z.looseObject({ type: z.literal("refusal"), refusal: z.string() }),
]);

const Text = z.union([z.string(), z.array(TextPart).min(1)]);
const name = z.string().optional();

/** One message of a conversation, by its role. */
export const Message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal("developer"), content: Text, name }),
  z.looseObject({ role: z.literal("system"), content: Text, name }),
  z.looseObject({
    role: z.literal("user"),
    content: z.union([z.string(), z.array(UserPart).min(1)]),
    name,
  }),
  z.looseObject({
    role: z.literal("assistant"),
    content: z.union([z.string(), z.array(AssistantPart).min(1)]).nullish(),
    refusal: z.string().nullish(),
    name,
    audio: z.looseObject({ id: z.string() }).nullish(),
    tool_calls: z.array(ToolCall).optional(),
    function_call: z.looseObject({ name: z.string(), arguments: z.string() }).nullish(),
    prefix: z
      .boolean()
      .nullish()
      .describe("In the last message: go on with it, as continue_final_message does."),
    // What stands in answers comes back in conversations.
    reasoning_content: z.unknown().optional(),
    reasoning: z.unknown().optional(),
    reasoning_details: z.unknown().optional(),
    annotations: z.unknown().optional(),
  }),
  z.looseObject({ role: z.literal("tool"), content: Text, tool_call_id: z.string() }),
  z.looseObject({ role: z.literal("function"), content: z.string().nullable(), name: z.string() }),
]);
export type Message = z.infer<typeof Message>;
