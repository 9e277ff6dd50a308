import { readFileSync } from "node:fs";
import os from "node:os";

/** What this process may use of the machine: its defaults are made of these numbers. */
export interface Machine {
  /** Bytes of memory, or of the container's limit where that is less. */
  readonly memory: number;
  /** Physical cores this process may run on, after affinity and CPU quota; at least 1. */
  readonly cores: number;
}

/** Text of a system file, or null where there is none. */
export type ReadText = (path: string) => string | null;

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
};

/** `"0-2,7"` to `[0, 1, 2, 7]`, the kernel's list format. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .flatMap((part) => {
      const [first, last = first] = part.split("-").map(Number);
      if (first === undefined || last === undefined || part === "" || Number.isNaN(first + last))
        return [];
      return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
    });
}

/** The limit files of this process's cgroup and of all above it, which bind it too. */
function cgroupFiles(read: ReadText, v2: string, v1Controller: string, v1: string): string[] {
  const paths: string[] = [];
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isV2 = controllers === "";
    if (!isV2 && !controllers.split(",").includes(v1Controller)) continue;
    const root = isV2 ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${v1Controller}`;
    const parts = path.split("/").filter((part) => part !== "");
    for (let depth = parts.length; depth >= 0; depth--)
      paths.push([root, ...parts.slice(0, depth), isV2 ? v2 : v1].join("/"));
  }
  return paths;
}

/** Bytes, or null when nothing but the machine's own memory binds. */
export function memoryLimit(read: ReadText): number | null {
  const limits = cgroupFiles(read, "memory.max", "memory", "memory.limit_in_bytes")
    .map((path) => Number.parseInt(read(path) ?? "", 10))
    .filter((bytes) => bytes > 0);
  return limits.length === 0 ? null : Math.min(...limits);
}

/** CPUs' worth of time that a quota grants (0.5, 2, …), or null without one. */
export function cpuQuota(read: ReadText): number | null {
  const quotas = cgroupFiles(read, "cpu.max", "cpu", "cpu.cfs_quota_us").map((path) => {
    const [quota, period] = (read(path) ?? "").trim().split(/\s+/).map(Number);
    const v1Period = Number(read(path.replace("cfs_quota_us", "cfs_period_us")) ?? "");
    return (quota ?? Number.NaN) / (period ?? v1Period);
  });
  const known = quotas.filter((cpus) => cpus > 0 && Number.isFinite(cpus));
  return known.length === 0 ? null : Math.min(...known);
}

/** Physical cores among the CPUs this process may run on (Linux), or null where the kernel doesn't say. */
export function allowedCores(read: ReadText): number | null {
  const allowed = /^Cpus_allowed_list:\s*(.+)$/m.exec(read("/proc/self/status") ?? "")?.[1];
  if (allowed === undefined) return null;
  const siblings = parseCpuList(allowed).map((cpu) => {
    const topology = `/sys/devices/system/cpu/cpu${cpu}/topology`;
    return (
      read(`${topology}/core_cpus_list`) ?? read(`${topology}/thread_siblings_list`) ?? `${cpu}`
    );
  });
  return siblings.length === 0 ? null : new Set(siblings.map((list) => list.trim())).size;
}

/** Off Linux, Intel and AMD machines nearly all show two CPUs a core; too few threads cost less than too many. */
function assumedCores(): number {
  const cpus = os.availableParallelism();
  return process.arch === "x64" ? Math.ceil(cpus / 2) : cpus;
}

export function inspectMachine(read: ReadText = readText): Machine {
  const quota = cpuQuota(read) ?? Number.POSITIVE_INFINITY;
  return {
    memory: Math.min(os.totalmem(), memoryLimit(read) ?? Number.POSITIVE_INFINITY),
    cores: Math.max(1, Math.floor(Math.min(allowedCores(read) ?? assumedCores(), quota))),
  };
}

/** ggml's barriers spin, so a core is left free: one thread too many makes it a hundred times slower. */
export function defaultThreads(machine: Machine): number {
  return Math.max(1, machine.cores - 1);
}
