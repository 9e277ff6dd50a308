/** A PostgreSQL of our own, in a folder of its own on a free port, that ends with this process. */
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { notHere } from "./needs.ts";

const DEBIAN = "/usr/lib/postgresql";
const USER = "postgres";

/** The folder of `initdb` and `postgres`: Debian keeps them out of the path. */
function binaries(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, "bin"));
  const found = folders.find((folder) => existsSync(join(folder, "initdb")));
  if (found !== undefined) return found;
  const initdb = Bun.which("initdb");
  return initdb === null ? null : join(initdb, "..");
}

const bin = binaries();
const asRoot = process.getuid?.() === 0;

/** PostgreSQL refuses to run as root. */
function unprivileged(...command: string[]): string[] {
  return asRoot ? ["runuser", "-u", USER, "--", ...command] : command;
}

function userId(flag: "-u" | "-g"): number {
  return Number(Bun.spawnSync(["id", flag, USER]).stdout.toString());
}

/** Whether tests on PostgreSQL can run here; says what to install where they can't. */
export const hasPostgres =
  bin !== null &&
  (!asRoot || (Bun.which("runuser") !== null && Bun.spawnSync(["id", USER]).exitCode === 0)) ===
    true
    ? true
    : notHere("install postgresql (initdb and postgres), with its user when running as root");

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Runs what follows the folder. It ends when the pipe from us does, however we end, and the folder with it. */
const WITH_US = `folder=$0; "$@" & child=$!
  read -r how; kill -QUIT $child; wait $child; [ -n "$how" ] || rm -rf "$folder"`;

export class Postgres {
  readonly #folder: string;
  readonly port: number;
  #server: Bun.Subprocess<"pipe", "ignore", "ignore"> | null = null;
  #databases = 0;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  /** A new, empty one, running. */
  static async start(): Promise<Postgres> {
    const folder = mkdtempSync(join(tmpdir(), "covey-postgres-"));
    if (asRoot) chownSync(folder, userId("-u"), userId("-g"));
    const made = Bun.spawnSync(
      unprivileged(
        ...[join(bin ?? "", "initdb"), "-D", join(folder, "data"), "-U", "covey", "-A", "trust"],
        ...["-E", "UTF8", "--locale=C", "--no-sync"],
      ),
      { cwd: folder },
    );
    if (made.exitCode !== 0) throw new Error(made.stderr.toString());
    const postgres = new Postgres(folder, await freePort());
    await postgres.run();
    return postgres;
  }

  url(database = "postgres"): string {
    return `postgres://covey@127.0.0.1:${this.port}/${database}`;
  }

  /** An empty database, by its URL. */
  async database(): Promise<string> {
    const name = `covey_${++this.#databases}`;
    await this.#ask(`CREATE DATABASE ${name}`);
    return this.url(name);
  }

  /** Starts it again, on the same port and data; resolves when it answers. */
  async run(): Promise<void> {
    this.#server = Bun.spawn(
      unprivileged(
        ...["sh", "-c", WITH_US, this.#folder],
        ...[join(bin ?? "", "postgres"), "-D", join(this.#folder, "data")],
        ...["-p", String(this.port), "-c", "listen_addresses=127.0.0.1"],
        ...["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=60"],
      ),
      { cwd: this.#folder, stdin: "pipe", stdout: "ignore", stderr: "ignore" },
    );
    for (;;) {
      try {
        await this.#ask("SELECT 1");
        return;
      } catch (error) {
        if (this.#server.exitCode !== null) throw error;
        await Bun.sleep(20);
      }
    }
  }

  /** Ends it as a crash does: no goodbye to anybody, recovery at the next start. */
  async crash(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.stdin.write("crash\n");
    await server.stdin.end();
    await server.exited;
  }

  async stop(): Promise<void> {
    await this.crash();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(text: string): Promise<void> {
    const sql = new SQL({ url: this.url(), max: 1, connectionTimeout: 5 });
    try {
      await sql.unsafe(text);
    } finally {
      await sql.close();
    }
  }
}

let shared: Promise<Postgres> | null = null;

/** The URL of an empty database, on a server that all tests of this process share. */
export async function postgresDatabase(): Promise<string> {
  shared ??= Postgres.start();
  return await (await shared).database();
}
