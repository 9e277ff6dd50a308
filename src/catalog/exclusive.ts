import { Database } from "bun:sqlite";
import { closeSync, fstatSync, openSync, rmSync, statSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { isSqliteBusy } from "../lib/sqlite-busy.ts";
import { UserError } from "../lib/user-error.ts";
import { isMissing, openForWriting } from "./files.ts";

/** How long two processes that try at the same moment wait for SQLite to let one of them through. */
const BUSY_TIMEOUT_MS = 100;

interface Lock {
  readonly file: string;
  readonly fd: number;
  readonly database: Database;
}

/**
 * The locks of this process, by file. They must be reachable while they are held: a `Database` that
 * is garbage-collected is closed, and its lock is gone.
 */
const held = new Map<string, Lock>();

/**
 * Runs `work` while holding `file`, which names the process that holds it. Throws `UserError` when
 * that is held already, by whomever. What decides is an open SQLite transaction on `file`.db: the
 * operating system ends it with the process, however that dies, so there are no stale locks.
 */
export async function holding<Result>(
  file: string,
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const key = path.resolve(file);
  // Not even opened twice here: closing a file drops all of a process's locks on it.
  if (held.has(key)) throw new UserError(`this process (${process.pid}) is already ${what}`);
  const lock = take(`${key}.db`);
  if (lock === null) {
    const pid = await holderOf(file);
    throw new UserError(`another process${pid === null ? "" : ` (${pid})`} is ${what}`);
  }
  held.set(key, lock);
  try {
    await writeHolder(file);
    return await work();
  } finally {
    try {
      await rm(file, { force: true });
    } finally {
      held.delete(key);
      release(lock);
    }
  }
}

/** Null when another process has it. */
function take(file: string): Lock | null {
  for (;;) {
    // Keeps the file's identity from being given to another one before it is compared below.
    const fd = openSync(file, "a", 0o600);
    const database = new Database(file, { create: true });
    const lock = { file, fd, database };
    try {
      database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      // No second file, whose name the next holder's would have too.
      database.run("PRAGMA journal_mode = MEMORY");
      database.run("BEGIN EXCLUSIVE");
      // The holder before may have removed the file after we opened it: then we locked nothing.
      if (isSameFile(fd, file)) return lock;
    } catch (error) {
      close(lock);
      if (isSqliteBusy(error)) return null;
      throw error;
    }
    close(lock);
  }
}

/** Removed while it is still locked, so that nobody's new file is. Windows does not remove open files: there it stays. */
function release(lock: Lock): void {
  try {
    if (process.platform !== "win32") rmSync(lock.file, { force: true });
  } finally {
    close(lock);
  }
}

function close(lock: Lock): void {
  lock.database.close();
  closeSync(lock.fd);
}

function isSameFile(fd: number, file: string): boolean {
  const now = statSync(file, { bigint: true, throwIfNoEntry: false });
  const opened = fstatSync(fd, { bigint: true });
  return now !== undefined && now.ino === opened.ino && now.dev === opened.dev;
}

async function writeHolder(file: string): Promise<void> {
  const handle = await openForWriting(file, false);
  try {
    await handle.writeFile(String(process.pid));
  } finally {
    await handle.close();
  }
}

/** A courtesy for the message; null when it is not known. */
async function holderOf(file: string): Promise<number | null> {
  try {
    const pid = Number.parseInt(await readFile(file, "utf8"), 10);
    return pid > 0 ? pid : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
