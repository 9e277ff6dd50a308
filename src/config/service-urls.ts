import { UserError } from "../lib/user-error.ts";
import type { Config } from "./schema.ts";

/** The addresses of the services that a gateway may use, checked before anything is asked of them; never repeated. */

const DATABASE =
  "DATABASE_URL: expected postgres://user:password@host:5432/database, the password percent-encoded";
const REDIS =
  "REDIS_URL: expected redis://:password@host:6379, or rediss:// for TLS, the password percent-encoded";
const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/** Where the call log and the keys are, when not in the home folder. @throws UserError */
export function databaseUrlOf({ secret }: Pick<Config, "secret">): string | null {
  const url = secret("DATABASE_URL");
  if (url === null) return null;
  const parsed = addressOf(url, /^postgres(ql)?:\/\//i);
  if (parsed === null) throw new UserError(DATABASE);
  const modes = [...parsed.searchParams].filter(([name]) => name.toLowerCase() === "sslmode");
  if (modes.some(([, mode]) => !SSL_MODES.includes(mode.toLowerCase())))
    throw new UserError(`DATABASE_URL: its sslmode is none of ${SSL_MODES.join(", ")}`);
  return url;
}

/** Where limits are shared; null where they are kept in this process. @throws UserError */
export function redisUrlOf({ secret }: Pick<Config, "secret">): string | null {
  const url = secret("REDIS_URL");
  if (url === null) return null;
  const parsed = addressOf(url, /^rediss?:\/\/[^/]/i);
  if (parsed === null) throw new UserError(REDIS);
  if (!/^\/?\d{0,9}$/.test(parsed.pathname))
    throw new UserError("REDIS_URL: after the host comes the number of a database, or nothing");
  return url;
}

/** An `@` behind the host is the rest of a password with a `/`, `?` or `#` in it. */
function addressOf(url: string, scheme: RegExp): URL | null {
  const parsed = scheme.test(url) ? URL.parse(url) : null;
  if (parsed === null) return null;
  const { pathname, search, hash, username, password } = parsed;
  if (`${pathname}${search}${hash}`.includes("@") || hash !== "") return null;
  try {
    decodeURIComponent(username + password);
    return parsed;
  } catch {
    return null;
  }
}
