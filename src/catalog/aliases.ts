import { existsSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { parseTomlFile, readTextFile } from "../lib/toml-file.ts";
import { UserError } from "../lib/user-error.ts";
import { splitName } from "./same-weights.ts";

const AliasFile = z.strictObject({
  owners: z.record(z.string().min(1), z.string().min(1)).default({}),
  models: z.record(z.string().min(1), z.array(z.string().min(1))).default({}),
});

/** Other names of the same weights, as `catalog/aliases.toml` has them. */
export interface Aliases {
  /** The one name in lower case that stands for all names of the same weights. */
  canonical(id: string): string;
  /** How the table spells the name that stands for others; undefined for a name it does not know. */
  spelling(canonical: string): string | undefined;
}

export const SHIPPED_ALIASES = path.resolve(import.meta.dir, "../../catalog/aliases.toml");

/**
 * The shipped table, then the home folder's own. A file that isn't there is empty.
 * @throws UserError for a bad file, with the line, and for a name that stands for two models
 */
export function loadAliases(home: string): Aliases {
  const files = [SHIPPED_ALIASES, path.join(home, "aliases.toml")].filter((file) =>
    existsSync(file),
  );
  return createAliases(files.map((file) => parseAliasFile(readTextFile(file), file)));
}

export function parseAliasFile(text: string, file: string): z.infer<typeof AliasFile> {
  return parseTomlFile(AliasFile, text, file);
}

export function createAliases(files: readonly z.infer<typeof AliasFile>[]): Aliases {
  const owners = new Map<string, string>();
  const models = new Map<string, string>();
  const spellings = new Map<string, string>();
  const owned = (id: string): string => {
    const lower = id.trim().toLowerCase();
    const { owner, name } = splitName(lower);
    const other = owner === null ? undefined : owners.get(owner);
    return other === undefined ? lower : `${other}/${name}`;
  };
  for (const file of files)
    for (const [owner, same] of Object.entries(file.owners))
      owners.set(owner.toLowerCase(), same.toLowerCase());
  for (const file of files)
    for (const [id, names] of Object.entries(file.models)) {
      const canonical = owned(id);
      spellings.set(canonical, id);
      for (const name of names.map(owned)) {
        const other = models.get(name);
        if (other !== undefined && other !== canonical)
          throw new UserError(`aliases.toml: "${name}" stands for ${other} and for ${canonical}`);
        if (name !== canonical) models.set(name, canonical);
      }
    }
  return {
    canonical: (id) => {
      const name = owned(id);
      return models.get(name) ?? name;
    },
    spelling: (canonical) => spellings.get(canonical),
  };
}
