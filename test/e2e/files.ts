import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The bytes of every file in a folder and below, each byte one character, to be searched for secrets. */
export function allFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
}
