import { z } from "zod";

/**
 * Fields of a request that say where it should be answered, in OpenRouter's names. They are the
 * gateway's own: consumed here or refused, never sent to an upstream.
 */

const names = z.array(z.string().min(1).max(200)).max(64).nullish();
/** US dollars for a million tokens (or one request), as a number or a decimal string. */
const dollars = z
  .union([z.number().min(0), z.string().regex(/^\d+(\.\d+)?$/)])
  .transform(Number)
  .nullish();

const SORTS = ["price", "throughput", "latency"] as const;

export const ProviderPreferences = z.looseObject({
  order: names.describe("Providers to try first, in this order."),
  only: names.describe("Only these providers."),
  ignore: names.describe("None of these providers."),
  allow_fallbacks: z
    .boolean()
    .nullish()
    .describe("false: only those in `order`, or without it only the best one. Default true."),
  require_parameters: z
    .boolean()
    .nullish()
    .describe("true: only targets that honour every parameter that was sent."),
  sort: z
    .union([z.enum(SORTS), z.looseObject({ by: z.enum(SORTS) })])
    .transform((sort) => (typeof sort === "string" ? sort : sort.by))
    .nullish()
    .describe("What the best target is best at."),
  max_price: z
    .looseObject({ prompt: dollars, completion: dollars, request: dollars })
    .nullish()
    .describe("The most it may cost: US dollars for a million tokens, or one request."),
  quantizations: z.array(z.string().min(1)).max(64).nullish().describe("Only these, such as fp8."),
  data_collection: z
    .enum(["allow", "deny"])
    .nullish()
    .describe("deny: only providers that do not keep what they are sent."),
});
export type ProviderPreferences = z.infer<typeof ProviderPreferences>;

export const routingFields = {
  models: z
    .array(z.string().min(1))
    .max(32)
    .nullish()
    .describe("Models to fall back to, in this order, when `model` can't answer."),
  provider: ProviderPreferences.nullish(),
  route: z.literal("fallback", "only 'fallback' is supported.").nullish(),
  plugins: z.array(z.unknown()).max(0, "plugins are not supported here.").nullish(),
  transforms: z
    .array(z.string())
    .max(64)
    .nullish()
    .describe("Not done here: left out, and told in x-covey-dropped-params."),
  chat_template: z
    .null("a chat template in a request is not run here; chat_template_kwargs sets variables.")
    .optional(),
  session_id: z
    .string()
    .min(1)
    .max(256)
    .nullish()
    .describe("Calls of one session go to the same target while it is well, for its prompt cache."),
  usage: z
    .looseObject({ include: z.boolean().nullish() })
    .nullish()
    .describe("{include: true} asks for usage in a stream, as stream_options.include_usage does."),
};

export const ROUTING_FIELDS: readonly string[] = Object.keys(routingFields);
