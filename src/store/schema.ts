import { z } from "zod";

/** More than anything real; so much that a sum of thousands of them still fits a database's integers. */
const LARGEST = 1e15;

function fitting(n: number): number {
  return Math.max(-LARGEST, Math.min(LARGEST, n));
}

/**
 * What the journal holds, as it is read back. Looser than what is written: a name from a newer
 * version is only text here, and a number that JSON could not carry (NaN) reads as 0, so that
 * neither costs the row. One that no database could hold would keep all that comes after it waiting.
 */
const Count = z
  .number()
  .nullable()
  .transform((n) => fitting(n ?? 0));
const Text = z.string().nullable();
const Milliseconds = z.number().nullable();
/** Billionths of a US dollar. */
const Money = z
  .number()
  .nullable()
  .default(null)
  .transform((n) => (n === null ? null : fitting(n)));

/** A process took over the journal: whatever was running before it is not running any more. */
const Boot = z.object({ t: z.literal("boot"), at: Count, version: z.string() });

const Reserve = z.object({
  t: z.literal("reserve"),
  id: z.string(),
  at: Count,
  endpoint: z.string(),
  model: z.string(),
  keyId: z.string(),
  stream: z.boolean(),
  requestId: Text,
  referer: Text,
  title: Text,
});

/** [id, prompt tokens, completion tokens, cached tokens, who counted, queue ms, first token ms] */
const ProgressEntry = z.tuple([
  z.string(),
  Count,
  Count,
  Count,
  z.string(),
  Milliseconds,
  Milliseconds,
]);

/** What running calls had used, for all of those that went on since the last one. */
const Progress = z.object({ t: z.literal("progress"), at: Count, calls: z.array(ProgressEntry) });

/** One try at one target. */
const Attempt = z.object({
  provider: z.string(),
  upstreamId: z.string(),
  model: z.string(),
  startMs: Count,
  tookMs: Count,
  error: Text,
  message: Text.default(null),
  how: z.string(),
  completionTokens: Count,
  malformedEvents: Count,
});

const Settle = z.object({
  t: z.literal("settle"),
  id: z.string(),
  at: Count,
  status: z.enum(["completed", "failed", "cancelled", "refused"]),
  httpStatus: Count,
  error: Text,
  // Older records have none: the call's own counts then.
  model: Text.default(null),
  provider: Text,
  finishReason: Text,
  promptTokens: Count,
  completionTokens: Count,
  cachedTokens: Count,
  images: Count.default(0),
  pixels: Count.default(0),
  usageSource: z.string(),
  queueMs: Milliseconds,
  firstTokenMs: Milliseconds,
  totalMs: Count,
  droppedParams: z.array(z.string()),
  // Records before these were written have none of them.
  costNanoUsd: Money,
  providerCostNanoUsd: Money,
  attempts: z.array(Attempt).default([]),
});

/** One refused call. */
const Refuse = z.object({
  t: z.literal("refuse"),
  id: z.string(),
  at: Count,
  endpoint: z.string(),
  known: z.boolean().default(true),
  model: Text,
  keyId: z.string(),
  requestId: Text,
  httpStatus: Count,
  error: z.string(),
});

/** Many refused calls that were alike, under a flood. */
const Refused = z.object({
  t: z.literal("refused"),
  id: z.string(),
  at: Count,
  endpoint: z.string(),
  keyId: z.string(),
  httpStatus: Count,
  error: z.string(),
  count: Count,
});

/** Written to find out whether the disk takes writes again. Means nothing. */
const Probe = z.object({ t: z.literal("probe"), at: Count });

export const JournalRecord = z.discriminatedUnion("t", [
  Reserve,
  Settle,
  Progress,
  Refuse,
  Refused,
  Boot,
  Probe,
]);
export type JournalRecord = z.infer<typeof JournalRecord>;
export type ProgressEntry = z.infer<typeof ProgressEntry>;
