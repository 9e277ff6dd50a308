import { GatewayError } from "../contract/errors.ts";
import type { Key } from "../types.ts";

/** Keys, as a filter may name them. */
export type NamedKey = Pick<Key, "id" | "prefix" | "name">;

const SHOWN_PREFIX = /^sk-covey-([0-9A-Za-z]{8})(?:-.*)?$/;
/** Who calls without a key that was made, as the log has them. */
const NOT_MADE: ReadonlySet<string> = new Set(["anonymous", "admin", "unknown"]);
const MOST_KEYS = 100;

/**
 * The query with its keys by their ids, whether they were named by id, prefix or name; a name that several
 * keys have means all of them, one that none has stays as it is and finds nothing.
 * @throws GatewayError 400
 */
export function byKeyId<Q extends { readonly key?: string[] | undefined }>(
  query: Q,
  keys: () => Iterable<NamedKey>,
): Q {
  if (query.key === undefined) return query;
  const all = [...keys()];
  const ids = [...new Set(query.key.flatMap((named) => meant(named, all)))];
  if (ids.length <= MOST_KEYS) return { ...query, key: ids };
  throw new GatewayError(
    "invalid_request",
    `${ids.length} keys have these names, and a question takes ${MOST_KEYS} at most: say which by their ids.`,
    { param: "key" },
  );
}

function meant(named: string, keys: readonly NamedKey[]): string[] {
  if (NOT_MADE.has(named) || keys.some(({ id }) => id === named)) return [named];
  const prefix = SHOWN_PREFIX.exec(named)?.[1] ?? named;
  const found = keys.filter((key) => key.prefix === prefix || key.name === named);
  return found.length === 0 ? [named] : found.map(({ id }) => id);
}
