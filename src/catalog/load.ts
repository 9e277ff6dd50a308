import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { parseTomlFile, readTextFile } from "../lib/toml-file.ts";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";
import { type Catalog, createCatalog } from "./resolve.ts";
import { ModelFile } from "./schema.ts";

/** The model files that ship with Covey. */
export const SHIPPED_MODELS = path.resolve(import.meta.dir, "../../catalog/models");

/**
 * One model from the text of its file. Paths in it (`template_file`, `weights.file`) count from the
 * file's own folder. Throws `UserError`, one line a problem, with the file and the line.
 */
export function parseModelFile(text: string, file: string): Model {
  const parsed = parseTomlFile(ModelFile, text, file);
  const folder = path.dirname(file);
  if (parsed.template !== undefined && parsed.template_file !== undefined)
    throw new UserError(`${file}: template and template_file are both set: keep one`);
  if (parsed.template_file !== undefined)
    parsed.template = readTextFile(path.resolve(folder, parsed.template_file));
  if (parsed.weights.source === "file")
    parsed.weights = { ...parsed.weights, path: path.resolve(folder, parsed.weights.path) };
  return { id: parsed.id, aliases: parsed.aliases, file: parsed };
}

/**
 * The catalog of all `*.toml` in these folders; a folder that isn't there is empty. Throws
 * `UserError` for a bad file and for two models of one name.
 */
export function loadCatalog(folders: readonly string[]): Catalog {
  const files = [...new Set(folders)]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(".toml") && !name.startsWith("."))
        .sort()
        .map((name) => path.join(folder, name)),
    );
  return createCatalog(files.map((file) => parseModelFile(readTextFile(file), file)));
}

/**
 * Where model files are looked for: Covey's own, the home folder's, those the config names. Throws
 * `UserError` for one of the last that is not there.
 */
export function catalogFolders(home: string, extra: readonly string[]): string[] {
  const missing = extra.find((folder) => !existsSync(folder));
  if (missing !== undefined)
    throw new UserError(`there is no folder ${missing}, which [models] folders names`);
  return [SHIPPED_MODELS, path.join(home, "models"), ...extra];
}
