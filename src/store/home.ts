import { Database } from "bun:sqlite";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { isSqliteBusy } from "../lib/sqlite-busy.ts";

const BUSY_TIMEOUT_MS = 100;
const ADDRESS = "address";

/** Why the home folder cannot be used: one line for the terminal. */
export class HomeError extends Error {
  override readonly name = "HomeError";
}

/** The folder that holds everything Covey keeps. */
export interface Home {
  readonly path: string;
  readonly journal: string;
  readonly models: string;
  /** The SQLite file. */
  readonly database: string;
  /** Random, made with the folder: whose journal it is, where several gateways share a database. */
  readonly gateway: string;
  /** Lets another process have it. */
  release(): void;
}

/**
 * The open lock databases. They must be reachable for as long as they are held: a `Database` that
 * is garbage-collected is closed, and its lock is gone without a word.
 */
const held = new Set<Database>();

/**
 * Opens the home folder, creating it (mode 0700) when it is missing, and locks it to this process.
 * The lock is the operating system's and dies with the process, however it dies. Throws a
 * `HomeError` when another process has it or when it cannot be written.
 */
export function openHome(folder: string): Home {
  const path = resolve(folder);
  const home = {
    path,
    journal: join(path, "journal"),
    models: join(path, "models"),
    database: join(path, "covey.db"),
  };
  const pidFile = join(path, "pid");
  let lock: Database;
  let gateway: string;
  try {
    for (const dir of [path, home.journal, home.models]) {
      if (existsSync(dir)) continue;
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      // The mode above is narrowed by the umask, which may take away our own rights too.
      chmodSync(dir, 0o700);
    }
    lock = takeLock(path, pidFile);
  } catch (error) {
    if (error instanceof HomeError) throw error;
    throw new HomeError(`The home folder ${path} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
    rmSync(join(path, ADDRESS), { force: true });
    gateway = gatewayId(join(path, "gateway-id"));
  } catch (error) {
    letGo(lock);
    throw new HomeError(`The home folder ${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return {
    ...home,
    gateway,
    release() {
      if (!held.has(lock)) return;
      rmSync(pidFile, { force: true });
      rmSync(join(path, ADDRESS), { force: true });
      letGo(lock);
    },
  };
}

/** Writes down where the process that has this home folder listens, for who looks at the folder: `127.0.0.1:8080`. */
export function tellAddress(folder: string, address: string): void {
  writeFileSync(join(folder, ADDRESS), `${address}\n`, { mode: 0o600 });
}

/** Who has a home folder, and where they said that they listen. */
export interface Holder {
  /** `process 123`, or `another process`. */
  readonly who: string;
  readonly address: string | null;
}

/** The process that has a home folder now; null for none. Takes nothing, makes nothing. */
export function holderOf(folder: string): Holder | null {
  const file = join(folder, "lock.db");
  if (!existsSync(file)) return null;
  let lock: Database | null = null;
  try {
    lock = new Database(file, { readonly: true });
    lock.query("SELECT 1 FROM sqlite_master").get();
    return null;
  } catch (error) {
    if (!isSqliteBusy(error)) throw error;
    const address = join(folder, ADDRESS);
    return {
      who: holder(join(folder, "pid")),
      address: existsSync(address) ? readFileSync(address, "utf8").trim() : null,
    };
  } finally {
    lock?.close();
  }
}

/** Read from the file, or made: whole or not at all, whenever the process ends. */
function gatewayId(file: string): string {
  if (existsSync(file)) {
    const id = readFileSync(file, "utf8").trim();
    if (/^[\w-]{1,64}$/.test(id)) return id;
    throw new Error(`${file} holds no gateway's id; delete it to get a new one`);
  }
  const id = Bun.randomUUIDv7();
  writeFileSync(`${file}.new`, `${id}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return id;
}

function takeLock(path: string, pidFile: string): Database {
  const lock = new Database(join(path, "lock.db"), { create: true });
  try {
    // Two that start at the same moment each hold a part of the lock: one has to wait for the other.
    lock.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    lock.run("PRAGMA journal_mode = MEMORY");
    lock.run("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!isSqliteBusy(error)) throw error;
    const who = holder(pidFile);
    throw new HomeError(
      `The home folder ${path} is in use by ${who}. Stop it, or start with another --home.`,
    );
  }
  held.add(lock);
  return lock;
}

function letGo(lock: Database): void {
  held.delete(lock);
  lock.close();
}

/** The pid file is a courtesy for the message; only the lock decides. */
function holder(pidFile: string): string {
  if (!existsSync(pidFile)) return "another process";
  const pid = readFileSync(pidFile, "utf8").trim();
  return /^\d+$/.test(pid) ? `process ${pid}` : "another process";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
