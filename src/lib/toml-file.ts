import { readFileSync } from "node:fs";
import type { z } from "zod";
import { describeIssues, knownKeys } from "./toml-issues.ts";
import { parseToml, TomlError } from "./toml-parse.ts";
import { UserError } from "./user-error.ts";

/**
 * What the text of a TOML file says, by its schema.
 * @throws UserError, one line a problem, with the file and the line
 */
export function parseTomlFile<T extends z.ZodType>(
  schema: T,
  text: string,
  file: string,
): z.output<T> {
  let raw: unknown;
  try {
    raw = parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new UserError(`${file}:${error.line}: ${error.message}`);
  }
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  throw new UserError(
    describeIssues(result.error.issues, file, text, (at) => knownKeys(schema, at)).join("\n"),
  );
}

/** @throws UserError for a file that can't be read */
export function readTextFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  }
}
