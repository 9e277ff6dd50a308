import { ALL_CPUS, run } from "./processes.ts";

/** What is measured has one processor; what loads and answers it has another. */
export interface Cores {
  readonly measured: number;
  readonly load: number;
}

/** Moves this process out of the way too. @throws Error with fewer than two processors */
export async function takeCores(): Promise<Cores> {
  const load = ALL_CPUS[0];
  const measured = ALL_CPUS.at(-1);
  if (load === undefined || measured === undefined || load === measured) {
    throw new Error("this benchmark needs two processors: one is measured, the other loads it");
  }
  await run(["taskset", "-a", "-p", "-c", String(load), String(process.pid)]);
  return { measured, load };
}

const PACKAGES = {
  nginx: "nginx-light",
  wrk: "wrk",
  taskset: "util-linux",
  chromium: "chromium",
} as const;

/** @throws Error that says what to install */
export function requireTools(...tools: (keyof typeof PACKAGES)[]): void {
  if (process.platform !== "linux") {
    throw new Error("this benchmark reads /proc and pins processes: it runs on Linux only");
  }
  const missing = tools.filter((tool) => pathOf(tool) === null);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => PACKAGES[tool]).join(" ");
  throw new Error(
    `${missing.join(" and ")} not found. On Debian or Ubuntu: apt-get install ${packages}`,
  );
}

/** Debian keeps nginx in /usr/sbin, which is not on everyone's PATH. */
export function pathOf(tool: string): string | null {
  return Bun.which(tool, { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` });
}
