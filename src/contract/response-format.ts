import { z } from "zod";
import { Identifier, JsonSchemaObject } from "./tools.ts";

/** What an answer must be. */
export const ResponseFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({
    type: z.literal("json_object"),
    schema: JsonSchemaObject.optional().describe("llama.cpp's and Together's: as json_schema."),
  }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({
      name: Identifier,
      description: z.string().optional(),
      schema: JsonSchemaObject,
      strict: z.boolean().nullish(),
    }),
  }),
]);
export type ResponseFormat = z.infer<typeof ResponseFormat>;
