import { z } from "zod";
import { nearest } from "./nearest.ts";
import { lineOf } from "./toml-position.ts";

/** Says where in a TOML file something is wrong, and what was probably meant. Pure: text in, text out. */

type Path = readonly (string | number)[];

/** `limits.anonymous.concurrency`, `models[0].id`. */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`,
    "",
  );
}

const plain = (path: readonly PropertyKey[]): (string | number)[] =>
  path.map((part) => (typeof part === "symbol" ? String(part) : part));

/**
 * One line per problem: `covey.toml:7: unknown key "prot" in [server]; did you mean "port"?`
 * `known` gives the keys that a table may have, `rename` turns the schema's key
 * into the file's; `above` is the schema's path of its table.
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  file: string,
  source: string,
  known: (path: Path) => readonly string[],
  rename: (key: string, above: Path) => string = (key) => key,
): string[] {
  const inFile = (path: Path): Path =>
    path.map((part, depth) =>
      typeof part === "string" ? rename(part, path.slice(0, depth)) : part,
    );
  const at = (path: Path): string => {
    const line = lineOf(source, path);
    return line === undefined ? `${file}: ` : `${file}:${line}: `;
  };
  return issues.flatMap((issue) => {
    const path = plain(issue.path);
    if (issue.code !== "unrecognized_keys") {
      const place = inFile(path);
      const missing = issue.code === "invalid_type" && /received undefined/.test(issue.message);
      const inner = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
      const reason = missing
        ? "is missing"
        : (inner ?? issue.message).replace(/^Invalid (?:input|option): /, "");
      const name = formatPath(place);
      return [
        `${at(place)}${name === "" ? reason : reason.startsWith("is missing") ? `${name} ${reason}` : `${name}: ${reason}`}`,
      ];
    }
    return issue.keys.map((raw) => {
      const key = rename(raw, path);
      const place = inFile(path);
      const guess = nearest(
        key,
        known(path).map((name) => rename(name, path)),
      );
      const table = place.length === 0 ? "at the top level" : `in [${formatPath(place)}]`;
      const hint = guess === undefined ? "" : `; did you mean "${guess}"?`;
      return `${at([...place, key])}unknown key "${key}" ${table}${hint}`;
    });
  });
}

/** The keys that a zod schema allows in the table at `path`; none where any key goes. */
export function knownKeys(schema: z.ZodType, path: Path): string[] {
  let here: unknown = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  for (const part of path) {
    const properties = property(here, "properties");
    here =
      typeof part === "number"
        ? property(here, "items")
        : (property(properties, part) ?? property(here, "additionalProperties"));
  }
  return Object.keys(property(here, "properties") ?? {});
}

function property(value: unknown, key: string): object | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === "object" && found !== null ? found : undefined;
}
