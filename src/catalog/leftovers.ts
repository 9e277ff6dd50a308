import { readdir, rm } from "node:fs/promises";
import path from "node:path";

/** What `file` is called until it is whole: every process has its own. */
export function temporaryOf(file: string): string {
  return `${file}.${process.pid}.tmp`;
}

/** Removes what processes that are gone left of `file` when they ended while they wrote it. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = path.dirname(file);
  const start = `${path.basename(file)}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(start)) continue;
    const pid = /^(\d+)\.tmp$/.exec(name.slice(start.length))?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(path.join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
