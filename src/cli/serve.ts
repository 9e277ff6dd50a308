import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import { type App, type StartOptions, startApp } from "../app.ts";
import { Environment } from "../config/environment.ts";
import { type ConfigFlags, loadConfig } from "../config/load.ts";
import { type Reread, rereadConfig } from "../config/reread.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../contract/errors.ts";
import { mayAnswer } from "../gateway/gateway.ts";
import { createLog, type Log, type SettableLog } from "../lib/log.ts";
import { UserError } from "../lib/user-error.ts";
import { HomeError } from "../store/index.ts";
import { greeting } from "./greeting.ts";

/** npm and other launchers hand on the signal that the terminal has sent to this process too. */
const ONE_KEYPRESS_MS = 500;
/** How long the first greeting waits for providers' lists that were never fetched before. */
const LISTS_MS = 2_000;

/**
 * `covey serve`: listens until it is told to stop, then lets running answers finish. Resolves with
 * the exit code. @throws UserError for what the person at the terminal can put right
 */
export async function serve(flags: ConfigFlags): Promise<number> {
  const environment = new Environment(resolve(".env"), process.env);
  const config = loadConfig({ flags });
  const pretty = process.stderr.isTTY === true;
  const log = createLog((line) => process.stderr.write(line), pretty);
  const reread = (): Reread => rereadConfig({ flags, env: environment.read() }, config);
  const app = await start(config, log, { pretty, reread });
  // Before anybody can know that it listens: an unhandled SIGHUP ends a process.
  const stopping = stopSignal(() => reload(app, log));
  for (const warning of config.warnings) log.warn(warning);
  const isNew = app.models
    .lists()
    .some(({ models, missingKey }) => models === 0 && missingKey === null);
  if (isNew) await Promise.race([app.discovered, Bun.sleep(LISTS_MS)]);
  process.stdout.write(greeting(app, config.server.host));
  if (config.engine.preload) void preload(app, log);
  const signal = await stopping;
  const calls = app.gateway.running.size;
  const rest =
    calls === 0
      ? "nothing runs"
      : calls === 1
        ? "finishing 1 running call; once more ends it"
        : `finishing ${calls} running calls; once more ends them`;
  process.stdout.write(`\n${signal}: ${rest}\n`);
  const cut = await app.close(app.settings().config.server.drainTimeout);
  if (cut > 0)
    log.warn(
      `${cut === 1 ? "1 call was" : `${cut} calls were`} still running after the drain timeout and ended`,
    );
  return 0;
}

async function start(config: Config, log: SettableLog, options: StartOptions): Promise<App> {
  try {
    return await startApp(config, log, options);
  } catch (error) {
    if (error instanceof HomeError) throw new UserError(error.message, { cause: error });
    const { host, port } = config.server;
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EADDRINUSE") {
      throw new UserError(
        `port ${port} is in use on ${host}: stop what listens there, or choose another with --port`,
        { cause: error },
      );
    }
    if (code === "EACCES" || code === "EADDRNOTAVAIL") {
      throw new UserError(
        `can't listen on ${host}:${port} (${code}): choose another --host or --port`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

async function preload(app: App, log: Log): Promise<void> {
  const { starter, local } = app;
  const target = app.gateway.models.targets(starter).find(({ provider }) => provider === local.id);
  if (target === undefined) return;
  const { state, detail } = local.state(target);
  if (state === "too_big") log.warn(`${starter.id} is not loaded`, { detail });
  if (!mayAnswer({ state, detail })) return;
  const began = performance.now();
  try {
    await local.preload(starter.id);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(`${starter.id} is ready (${seconds} s)\n`);
  } catch (error) {
    log.error(`${starter.id} could not be loaded`, {
      detail: error instanceof Error ? error.message : String(error),
    });
  }
}

/** SIGHUP: why it could not be applied is in the log already. */
async function reload(app: App, log: Log): Promise<void> {
  try {
    await app.reload();
  } catch (error) {
    if (error instanceof UserError || error instanceof GatewayError) return;
    log.error("a reload failed in our own code", { detail: String(error) });
  }
}

/** Whether the terminal that this was started at is still there. */
function terminalIsThere(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

/**
 * Resolves with the first signal to stop. SIGHUP reloads, but where it says that the terminal was closed.
 * The handlers stay: a second signal, if it is no echo of the
 * first, means at once.
 */
function stopSignal(hangUp: () => void): Promise<string> {
  const atTerminal = terminalIsThere();
  return new Promise((resolve) => {
    process.on("SIGHUP", () => {
      if (!atTerminal || terminalIsThere()) hangUp();
      else resolve("SIGHUP");
    });
    let stoppedAt: number | null = null;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (stoppedAt === null) {
          stoppedAt = performance.now();
          resolve(signal);
        } else if (performance.now() - stoppedAt > ONE_KEYPRESS_MS) {
          process.exit(130);
        }
      });
    }
  });
}
