import { z } from "zod";

/** What may be kept, and what must not. Bytes, milliseconds; a retention of 0 is for ever. */
export const Rules = z.object({
  patterns: z.array(z.string()),
  /** Never written anywhere. */
  secrets: z.array(z.string()),
  maxBytes: z.number(),
  quotaBytes: z.number(),
  retentionMs: z.number(),
  imageQuotaBytes: z.number(),
});
export type Rules = z.infer<typeof Rules>;

/** What the main thread and the payloads' thread say to each other. */
export const ToPayloads = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("open"), folder: z.string(), rules: Rules }),
  /** The JSON of a `Captured`. */
  z.object({ kind: z.literal("keep"), seq: z.number(), text: z.string() }),
  z.object({ kind: z.literal("read"), seq: z.number(), id: z.string() }),
  z.object({ kind: z.literal("image"), seq: z.number(), hash: z.string() }),
  z.object({ kind: z.literal("close") }),
]);
export type ToPayloads = z.infer<typeof ToPayloads>;

const Json = z.record(z.string(), z.unknown());

export const Captured = z.object({
  id: z.string(),
  at: z.number(),
  request: Json,
  answer: Json.nullable(),
});

/** One call's payload, as it is kept: redacted, images by reference. */
export const StoredPayload = z.object({
  /** Unix milliseconds of the call's arrival. */
  at: z.number(),
  request: Json,
  answer: Json.nullable(),
  /** Whether texts were cut at the limit. */
  truncated: z.boolean(),
});
export type StoredPayload = z.infer<typeof StoredPayload>;

export const FromPayloads = z.discriminatedUnion("kind", [
  /** One is dealt with. `detail` says why it was not kept, never what was in it. */
  z.object({ kind: z.literal("done"), seq: z.number(), detail: z.string().nullable() }),
  z.object({ kind: z.literal("size"), bytes: z.number(), imageBytes: z.number() }),
  z.object({ kind: z.literal("payload"), seq: z.number(), payload: StoredPayload.nullable() }),
  z.object({ kind: z.literal("image"), seq: z.number(), type: z.string().nullable() }),
  z.object({ kind: z.literal("failed"), seq: z.number(), message: z.string() }),
  z.object({ kind: z.literal("closed") }),
]);
export type FromPayloads = z.infer<typeof FromPayloads>;
