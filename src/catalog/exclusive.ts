import { open, readFile, rm } from "node:fs/promises";
import { UserError } from "../lib/user-error.ts";
import { isMissing } from "./files.ts";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Runs `work` while holding `file`, which names the process that holds it. Throws `UserError` when
 * another living process does; one that died leaves nothing behind that would stop the next.
 */
export async function holding<Result>(
  file: string,
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      break;
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EEXIST";
      if (!taken || attempt > 2) throw error;
      const pid = await holderOf(file);
      if (pid !== null && pid !== process.pid && isAlive(pid))
        throw new UserError(
          `another process (${pid}) is ${what}; if that is wrong, delete ${file}`,
        );
      await rm(file, { force: true });
    }
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function holderOf(file: string): Promise<number | null> {
  try {
    const pid = Number.parseInt(await readFile(file, "utf8"), 10);
    return pid > 0 ? pid : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
