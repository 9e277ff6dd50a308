import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { parseTomlFile, readTextFile } from "../lib/toml-file.ts";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";
import { type Catalog, createCatalog } from "./resolve.ts";
import { ModelFile } from "./schema.ts";

/** The model files that ship with Covey. */
export const SHIPPED_MODELS = path.resolve(import.meta.dir, "../../catalog/models");

const FORMS = "json_schema";

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
  // Its engine holds any of them to a form.
  if (parsed.engine === "llama") parsed.features = [...new Set([...parsed.features, FORMS])];
  return { id: parsed.id, aliases: parsed.aliases, file: parsed };
}

/** A file that stands for the one of the same id that ships with Covey. */
export interface Replaced {
  readonly id: string;
  readonly file: string;
}

export interface LoadedCatalog extends Catalog {
  readonly replaced: readonly Replaced[];
}

/**
 * The catalog of all `*.toml` in these folders; a folder that isn't there is empty. A file with the
 * id of a model that ships replaces that model's whole file: so its price can be set, or anything
 * else. Throws `UserError` for a bad file and for two models of one name.
 */
export function loadCatalog(folders: readonly string[]): LoadedCatalog {
  const unique = [...new Set(folders)];
  const shipped = unique.filter((folder) => folder === SHIPPED_MODELS).flatMap(modelsIn);
  const others = unique.filter((folder) => folder !== SHIPPED_MODELS).flatMap(modelsIn);
  const byId = new Map(others.map(({ model, file }) => [model.id.toLowerCase(), file]));
  const replaced = shipped.flatMap(({ model: { id } }) => {
    const file = byId.get(id.toLowerCase());
    return file === undefined ? [] : [{ id, file }];
  });
  const kept = shipped.filter(({ model }) => !byId.has(model.id.toLowerCase()));
  return { ...createCatalog([...kept, ...others].map(({ model }) => model)), replaced };
}

function modelsIn(folder: string): readonly { readonly model: Model; readonly file: string }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".toml") && !name.startsWith("."))
    .sort()
    .map((name) => {
      const file = path.join(folder, name);
      return { model: parseModelFile(readTextFile(file), file), file };
    });
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
