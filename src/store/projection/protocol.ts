import { z } from "zod";

/** What the main thread and the projection's worker say to each other. */
const End = z.object({ segment: z.number(), offset: z.number() });

/** One statement with its parameters. */
const Query = z.object({
  text: z.string(),
  values: z.array(z.union([z.string(), z.number(), z.null()])),
});
export type Query = z.infer<typeof Query>;

const Place = z.object({ database: z.string(), gateway: z.string(), process: z.string() });

const Keep = z.object({
  callsMs: z.number(),
  minutesMs: z.number(),
  hoursMs: z.number(),
  daysMs: z.number(),
  maxBytes: z.number(),
  refusedRows: z.number(),
});

export const ToWorker = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("open"), journal: z.string(), place: Place, keep: Keep }),
  /** The journal may be read up to here. */
  z.object({ kind: z.literal("readable"), end: End }),
  /** Reads only: the connection it runs on can't write. */
  z.object({ kind: z.literal("query"), seq: z.number(), query: Query }),
  /** Changes something, in a transaction of its own. */
  z.object({ kind: z.literal("write"), seq: z.number(), query: Query }),
  z.object({ kind: z.literal("close") }),
]);
export type ToWorker = z.infer<typeof ToWorker>;

export const FromWorker = z.discriminatedUnion("kind", [
  /** The database holds everything before this place. `skippedBytes`: damage found by this process. */
  z.object({ kind: z.literal("position"), end: End, skippedBytes: z.number() }),
  /** A record that a process did not finish was left out. */
  z.object({ kind: z.literal("torn"), bytes: z.number() }),
  /** The database's place was another journal's: this one is read from its start. */
  z.object({ kind: z.literal("restarted") }),
  /** Why it gets no further for now. Ends with the next `position`. */
  z.object({ kind: z.literal("trouble"), message: z.string() }),
  z.object({ kind: z.literal("answer"), seq: z.number(), rows: z.array(z.unknown()) }),
  z.object({ kind: z.literal("failed"), seq: z.number(), message: z.string() }),
  z.object({ kind: z.literal("closed") }),
]);
export type FromWorker = z.infer<typeof FromWorker>;
