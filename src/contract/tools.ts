import { z } from "zod";

/** OpenAI's rule for the names of tools, functions and JSON schemas. */
export const Identifier = z
  .string()
  .regex(
    /^[a-zA-Z0-9_-]{1,64}$/,
    "expected 1 to 64 characters out of a-z, A-Z, 0-9, underscore and dash.",
  );

/** A JSON Schema, kept as it came: what reads it decides what of it can be enforced. */
export const JsonSchemaObject = z.looseObject({});

const FunctionDefinition = z.looseObject({
  name: Identifier,
  description: z.string().optional(),
  parameters: JsonSchemaObject.optional(),
  strict: z.boolean().nullish(),
});

export const Tool = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("function"), function: FunctionDefinition }),
  z.looseObject({
    type: z.literal("custom"),
    custom: z.looseObject({
      name: Identifier,
      description: z.string().optional(),
      format: z.looseObject({ type: z.enum(["text", "grammar"]) }).optional(),
    }),
  }),
]);
export type Tool = z.infer<typeof Tool>;

export const ToolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [
    z.looseObject({
      type: z.literal("function"),
      function: z.looseObject({ name: z.string().min(1) }),
    }),
    z.looseObject({
      type: z.literal("custom"),
      custom: z.looseObject({ name: z.string().min(1) }),
    }),
    z.looseObject({
      type: z.literal("allowed_tools"),
      allowed_tools: z.looseObject({
        mode: z.enum(["auto", "required"]),
        tools: z.array(z.looseObject({})),
      }),
    }),
  ]),
]);
export type ToolChoice = z.infer<typeof ToolChoice>;

/** The deprecated `functions` and `function_call`, which older SDKs still send. */
export const LegacyFunction = z.looseObject({
  name: Identifier,
  description: z.string().optional(),
  parameters: JsonSchemaObject.optional(),
});
export const LegacyFunctionChoice = z.union([
  z.enum(["none", "auto"]),
  z.looseObject({ name: z.string().min(1) }),
]);

/** A tool call as it stands in an assistant's message. `arguments` is the model's text: maybe not JSON. */
export const ToolCall = z.discriminatedUnion("type", [
  z.looseObject({
    id: z.string(),
    type: z.literal("function"),
    function: z.looseObject({ name: z.string(), arguments: z.string() }),
    // A stream's pieces have it, and are often put together with it.
    index: z.unknown().optional(),
  }),
  z.looseObject({
    id: z.string(),
    type: z.literal("custom"),
    custom: z.looseObject({ name: z.string(), input: z.string() }),
  }),
]);
export type ToolCall = z.infer<typeof ToolCall>;

/** A piece of a tool call in a stream: the first has id, type and name, the others more of `arguments`. */
export const ToolCallDelta = z.looseObject({
  index: z.int().min(0),
  id: z.string().optional(),
  type: z.literal("function").optional(),
  function: z
    .looseObject({ name: z.string().optional(), arguments: z.string().optional() })
    .optional(),
});
export type ToolCallDelta = z.infer<typeof ToolCallDelta>;
