import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { UserError } from "../lib/user-error.ts";
import { isMissing, writeAtomically } from "./files.ts";

/**
 * `<home>/models/lock.json`: for every hub reference that was pulled, the commit and the sha256 that
 * came then. A later pull gets the same bytes or is refused.
 */
const Locked = z.object({
  /** Null when the hub named none. */
  commit: z.string().nullable(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.int().min(0),
});
export type Locked = z.infer<typeof Locked>;

const LockFile = z.object({ version: z.literal(1), files: z.record(z.string(), Locked) });
export type Lock = z.infer<typeof LockFile>["files"];

export function lockFile(folder: string): string {
  return path.join(folder, "lock.json");
}

/** By `formatHubReference`. Empty when there is no file; throws `UserError` when it can't be read. */
export async function readLock(folder: string): Promise<Lock> {
  const file = lockFile(folder);
  try {
    return LockFile.parse(JSON.parse(await readFile(file, "utf8"))).files;
  } catch (error) {
    if (isMissing(error)) return {};
    throw new UserError(
      `${file} cannot be read; restore it, or delete it to lock anew at the next pull`,
      {
        cause: error,
      },
    );
  }
}

export async function writeLock(folder: string, key: string, locked: Locked): Promise<void> {
  const files: Lock = { ...(await readLock(folder)), [key]: locked };
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeAtomically(
    lockFile(folder),
    `${JSON.stringify({ version: 1, files: sorted }, null, 2)}\n`,
  );
}
