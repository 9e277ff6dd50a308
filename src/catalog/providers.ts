import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { parseTomlFile, readTextFile } from "../lib/toml-file.ts";
import { UserError } from "../lib/user-error.ts";
import { ProviderFile } from "./provider-file.ts";

/** The provider files that ship with Covey. */
export const SHIPPED_PROVIDERS = path.resolve(import.meta.dir, "../../catalog/providers");

/** What a provider is of which nothing but its address is known. */
export const GENERIC = "openai-compatible";

/** All provider files by their id, which is the file's name. */
export type ProviderFiles = ReadonlyMap<string, ProviderFile>;

/** Throws `UserError`, one line a problem, with the file and the line. */
export function parseProviderFile(text: string, file: string): ProviderFile {
  return parseTomlFile(ProviderFile, text, file);
}

/** Provider files, and those of the home folder that can't be read, with the reason. */
export interface ReadProviderFiles {
  readonly files: ProviderFiles;
  readonly faults: ReadonlyMap<string, string>;
}

/**
 * The shipped files and the home folder's own. A bad one of the home folder is a fault, to be told when
 * it is needed; the shipped one of its name stays. Throws `UserError` for a bad shipped one.
 */
export function readProviderFiles(home: string): ReadProviderFiles {
  const files = new Map(loadProviderFiles([SHIPPED_PROVIDERS]));
  const faults = new Map<string, string>();
  for (const [id, file] of tomlIn(path.join(home, "providers")))
    try {
      files.set(id, parseProviderFile(readTextFile(file), file));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      faults.set(id, error.message);
    }
  return { files, faults };
}

/**
 * All `*.toml` in these folders; a folder that isn't there is empty. A file in a later folder replaces
 * one of the same name in an earlier one. Throws `UserError` for a bad file.
 */
export function loadProviderFiles(folders: readonly string[]): ProviderFiles {
  const files = new Map<string, ProviderFile>();
  for (const folder of folders)
    for (const [id, file] of tomlIn(folder))
      files.set(id, parseProviderFile(readTextFile(file), file));
  return files;
}

/** Ids and paths of a folder's files. */
function tomlIn(folder: string): [id: string, file: string][] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .filter((name) => name.endsWith(".toml"))
    .map((name) => [name.slice(0, -".toml".length), path.join(folder, name)]);
}

/** The file of that id or alias. */
export function fileOf(
  files: ProviderFiles,
  id: string,
): { readonly id: string; readonly file: ProviderFile } | undefined {
  const file = files.get(id);
  if (file !== undefined) return { id, file };
  for (const [named, each] of files)
    if (each.aliases.includes(id)) return { id: named, file: each };
  return undefined;
}
