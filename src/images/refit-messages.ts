import { z } from "zod";
import type { ImageBounds } from "./bounds.ts";
import type { Refit } from "./fit.ts";

/** One image for the child process; one at a time. */
export interface RefitJob {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly refit: Refit;
  readonly bounds: ImageBounds;
}

/** What the child answers: the file, or why there is none. */
export const RefitAnswer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("done"), id: z.int(), bytes: z.instanceof(Uint8Array<ArrayBuffer>) }),
  z.object({ type: z.literal("refused"), id: z.int(), why: z.string() }),
  z.object({ type: z.literal("failed"), id: z.int(), error: z.string() }),
]);
export type RefitAnswer = z.infer<typeof RefitAnswer>;

/** The child's exit status when it took more memory than it may. */
export const TOO_MUCH_MEMORY = 77;
