import { existsSync, readdirSync, readFileSync } from "node:fs";

/** What Linux says of processes in /proc (man 5 proc). CPU times are seconds. */

/** The clock of utime and stime; 100 on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

export interface CpuUse {
  /** User and system time of the processes, ended threads included. */
  readonly total: number;
  /** By thread name; all threads of one name together. Ended ones are missing. */
  readonly threads: Readonly<Record<string, number>>;
}

/** A process and all its descendants. */
export function processTree(pid: number): number[] {
  const found = [pid];
  for (const parent of found) {
    for (const task of tasks(parent)) {
      const children = read(`/proc/${parent}/task/${task}/children`);
      found.push(...children.split(" ").filter(Boolean).map(Number));
    }
  }
  return found;
}

export function cpuUse(pids: readonly number[]): CpuUse {
  let total = 0;
  const threads: Record<string, number> = {};
  for (const pid of pids) {
    // The name is in parentheses and may hold anything; utime and stime are the 12th and 13th after it.
    const stat = read(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    total += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
    for (const task of tasks(pid)) {
      const own = `/proc/${pid}/task/${task}`;
      const name = task === String(pid) ? "main" : read(`${own}/comm`).trim();
      const nanoseconds = Number(read(`${own}/schedstat`).split(" ")[0] ?? 0);
      threads[name] = (threads[name] ?? 0) + nanoseconds / 1e9;
    }
  }
  return { total, threads };
}

export function cpuBetween(before: CpuUse, after: CpuUse): CpuUse {
  const threads: Record<string, number> = {};
  for (const [name, seconds] of Object.entries(after.threads)) {
    const used = seconds - (before.threads[name] ?? 0);
    if (used > 0) threads[name] = used;
  }
  return { total: after.total - before.total, threads };
}

export interface Memory {
  /** Bytes in RAM, mapped files included. */
  readonly resident: number;
  /** Those of them that are no file's: what the process itself has taken. */
  readonly anonymous: number;
}

export function memory(pids: readonly number[]): Memory {
  let resident = 0;
  let anonymous = 0;
  for (const pid of pids) {
    const status = read(`/proc/${pid}/status`);
    resident += kilobytes(status, "VmRSS");
    anonymous += kilobytes(status, "RssAnon");
  }
  return { resident, anonymous };
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024;
}

/** The processors this process may run on, as numbers. */
export function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(read("/proc/self/status"))?.[1] ?? "";
  return list.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

function tasks(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Empty for a process or thread that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["ENOENT", "ESRCH"].includes(String(error.code))
    ) {
      return "";
    }
    throw error;
  }
}
