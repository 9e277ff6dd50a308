import { ImageRefused } from "./bounds.ts";
import { refitted } from "./refit.ts";
import { type RefitAnswer, type RefitJob, TOO_MUCH_MEMORY } from "./refit-messages.ts";

/** Entry of the child process that decodes images for the gateway. `argv[2]`: bytes of memory it may take. */

const LOOK_MS = 25;
const maxBytes = Number(process.argv[2]);

setInterval(() => {
  if (process.memoryUsage.rss() > maxBytes) process.exit(TOO_MUCH_MEMORY);
}, LOOK_MS);
process.on("disconnect", () => process.exit(0));
process.on("message", (job: RefitJob) => {
  answer(job).then(
    (told) => process.send?.(told),
    (error: unknown) => process.send?.({ type: "failed", id: job.id, error: String(error) }),
  );
});

async function answer({ id, bytes, refit, bounds }: RefitJob): Promise<RefitAnswer> {
  try {
    return { type: "done", id, bytes: await refitted(bytes, refit, bounds) };
  } catch (error) {
    if (error instanceof ImageRefused) return { type: "refused", id, why: error.message };
    throw error;
  }
}
