import { expect, test } from "bun:test";
import {
  allowedCores,
  cpuQuota,
  defaultThreads,
  inspectMachine,
  memoryLimit,
  parseCpuList,
} from "./machine.ts";

const files = (entries: Record<string, string>) => (path: string) => entries[path] ?? null;

test("CPU lists are read as the kernel writes them", () => {
  expect(parseCpuList("0-2,7\n")).toEqual([0, 1, 2, 7]);
  expect(parseCpuList("")).toEqual([]);
});

test("the tightest memory limit of a cgroup and those above it binds", () => {
  const read = files({
    "/proc/self/cgroup": "0::/a/b\n",
    "/sys/fs/cgroup/a/b/memory.max": "max\n",
    "/sys/fs/cgroup/a/memory.max": "4000000000\n",
    "/sys/fs/cgroup/memory.max": "8000000000\n",
  });
  expect(memoryLimit(read)).toBe(4e9);
  expect(memoryLimit(files({}))).toBeNull();
});

test("memory limits of the first cgroup version are read too", () => {
  const read = files({
    "/proc/self/cgroup": "3:memory:/c\n2:cpu,cpuacct:/c\n",
    "/sys/fs/cgroup/memory/c/memory.limit_in_bytes": "1000000\n",
    "/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us": "150000\n",
    "/sys/fs/cgroup/cpu/c/cpu.cfs_period_us": "100000\n",
  });
  expect(memoryLimit(read)).toBe(1e6);
  expect(cpuQuota(read)).toBe(1.5);
});

test("a CPU quota counts in CPUs, and max is none", () => {
  const quota = (text: string) =>
    cpuQuota(files({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": text }));
  expect(quota("250000 100000\n")).toBe(2.5);
  expect(quota("max 100000\n")).toBeNull();
});

test("hyper-threads of one core count once, and only CPUs that are allowed count", () => {
  const topology = (cpu: number, list: string) => ({
    [`/sys/devices/system/cpu/cpu${cpu}/topology/core_cpus_list`]: list,
  });
  const read = files({
    "/proc/self/status": "Name:\tbun\nCpus_allowed_list:\t0-2,4\n",
    ...topology(0, "0,4\n"),
    ...topology(1, "1,5\n"),
    ...topology(2, "2,6\n"),
    ...topology(4, "0,4\n"),
  });
  expect(allowedCores(read)).toBe(3);
});

test("one core is left free, and there is always one thread", () => {
  expect(defaultThreads({ memory: 1, cores: 8 })).toBe(7);
  expect(defaultThreads({ memory: 1, cores: 1 })).toBe(1);
  const small = files({
    "/proc/self/cgroup": "0::/\n",
    "/sys/fs/cgroup/cpu.max": "50000 100000\n",
    "/sys/fs/cgroup/memory.max": "1000\n",
  });
  expect(inspectMachine(small)).toEqual({ memory: 1_000, cores: 1 });
});
