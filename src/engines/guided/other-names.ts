import { z } from "zod";

const Schema = z.union([z.looseObject({}), z.string(), z.boolean()]).nullish();
const Text = z.string().nullish();

/** vLLM's current form, of what it calls guided decoding. */
export const StructuredOutputs = z.looseObject({
  json: Schema,
  json_object: z.boolean().nullish(),
  regex: Text,
  choice: z.array(z.string()).min(1).nullish(),
  grammar: Text,
  structural_tag: z.null().optional(),
});

/** What other engines call a guide: vLLM's; llama.cpp's; SGLang's; TabbyAPI's. */
export const OtherGuides = z.object({
  structured_outputs: StructuredOutputs.nullish(),
  grammar: Text,
  json_schema: Schema,
  regex: Text,
  ebnf: Text,
  regex_pattern: Text,
  grammar_string: Text,
});

export const GUIDE_NAMES: readonly string[] = Object.keys(OtherGuides.shape);
