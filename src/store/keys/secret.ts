import { createHmac, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { UserError } from "../../lib/user-error.ts";

/** The variable that holds the server's secret. */
export const SECRET_VARIABLE = "COVEY_SECRET";
const FILE = "secret";
const BYTES = 32;
/** Characters; the file's own secret has 64. */
const SHORTEST = 32;
const MARK_TEXT = "covey server secret";
const MARK_LENGTH = 12;

/** Where the secret of a home folder lies. */
export function secretFile(home: string): string {
  return join(home, FILE);
}

/** What keys are hashed with. It can't be printed with whatever holds it. */
export class ServerSecret {
  readonly #secret: string;
  /** Tells one secret from another, and nothing else of it. */
  readonly mark: string;

  constructor(secret: string) {
    this.#secret = secret;
    this.mark = this.hash(MARK_TEXT).toString("hex").slice(0, MARK_LENGTH);
  }

  /** HMAC-SHA-256: 32 bytes. */
  hash(text: string): Buffer {
    return createHmac("sha256", this.#secret).update(text).digest();
  }
}

/**
 * The server's secret: the environment's, else the home folder's file, which is made when there is
 * none. Its text, 64 hexadecimal digits, is the secret, so that it can be moved into the environment.
 * @param given the variable's value; undefined when it is not set
 * @param shared whether other machines use the same database, so that a file of this one won't do
 * @throws UserError for an empty or short one, and for a file that others can read
 */
export function serverSecret(
  home: string,
  given: string | undefined,
  shared: boolean,
): ServerSecret {
  if (given !== undefined) return new ServerSecret(checked(given, SECRET_VARIABLE));
  if (shared) {
    throw new UserError(
      `DATABASE_URL is set and ${SECRET_VARIABLE} is not: every gateway on that database needs the same secret, of at least ${SHORTEST} characters (openssl rand -hex 32 makes one)`,
    );
  }
  const file = secretFile(home);
  if (!existsSync(file)) makeFile(home, file);
  const { mode } = statSync(file);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new UserError(
      `${file} can be read by others: chmod 600 ${file}, and rotate the keys if somebody may have read it`,
    );
  }
  return new ServerSecret(checked(readFileSync(file, "utf8").trim(), file));
}

function checked(secret: string, where: string): string {
  if (secret.length >= SHORTEST && secret.trim() === secret) return secret;
  const fault =
    secret.trim() === ""
      ? "is empty"
      : secret.length < SHORTEST
        ? `has ${secret.length} characters`
        : "begins or ends with white space";
  throw new UserError(
    `the server secret in ${where} ${fault}: give it at least ${SHORTEST} characters (openssl rand -hex 32 makes one); with another secret than before, all keys have to be made anew`,
  );
}

/** Two processes may do this at once: the file appears whole, and the first one's is kept. */
function makeFile(home: string, file: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  writeFileSync(draft, `${randomBytes(BYTES).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  try {
    chmodSync(draft, 0o600);
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
