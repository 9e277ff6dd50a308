#!/usr/bin/env node
// Starts Covey on the Bun that `npm install` brought: `npx covey …`, or `node bin/covey.mjs …`.
// Plain Node, since this is what runs before Bun does.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));

function findBun() {
  try {
    const packageFile = createRequire(import.meta.url).resolve("bun/package.json");
    return path.join(path.dirname(packageFile), "bin", "bun.exe");
  } catch {
    return undefined;
  }
}

const bun = findBun();
if (bun === undefined || !existsSync(bun)) {
  console.error("covey: Bun is not installed: run npm install in Covey's folder");
  process.exit(1);
}

const own = path.resolve(process.cwd(), ".env");
const child = spawn(
  bun,
  [
    ...(existsSync(own) ? [`--env-file=${own}`] : []),
    `--env-file=${path.join(here, "runtime.env")}`,
    path.join(here, "..", "src", "main.ts"),
    ...process.argv.slice(2),
  ],
  { stdio: "inherit" },
);

// A terminal sends Ctrl-C to parent and child alike; passing it on too would be a second one, which
// means "stop at once". Without a terminal only this process got it.
const atTerminal = process.stdin.isTTY === true;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
  process.on(signal, () => {
    if (!atTerminal || (signal !== "SIGINT" && signal !== "SIGQUIT")) child.kill(signal);
  });
}

child.once("error", (error) => {
  console.error(`covey: cannot start Bun: ${error.message}`);
  process.exit(1);
});
child.once("exit", (code, signal) => {
  process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
});
