import { z } from "zod";
import { Histogram } from "./figures.ts";

/** What the main thread and the reading thread say to each other. */
export const ToReader = z.discriminatedUnion("kind", [
  /** A SQLite file, or the URL of a PostgreSQL database, which is a secret. */
  z.object({ kind: z.literal("open"), database: z.string() }),
  z.object({
    kind: z.literal("ask"),
    seq: z.number(),
    text: z.string(),
    values: z.array(z.union([z.string(), z.number()])),
    /** The answer is lines of figures with these; null is rows as they are. */
    histograms: z.array(Histogram).nullable(),
  }),
  z.object({ kind: z.literal("close") }),
]);
export type ToReader = z.infer<typeof ToReader>;

export const FromReader = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("answer"), seq: z.number(), rows: z.array(z.unknown()) }),
  z.object({ kind: z.literal("failed"), seq: z.number(), message: z.string() }),
  z.object({ kind: z.literal("closed") }),
]);
export type FromReader = z.infer<typeof FromReader>;
