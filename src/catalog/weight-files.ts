import { mkdir, stat } from "node:fs/promises";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";
import { modelsFolder, weightsName } from "./files.ts";
import { sha256Of } from "./hash.ts";
import { isVerified, markerFile, readMarker, writeMarker } from "./marker.ts";
import { type Located, locateInPackage } from "./npm.ts";
import { formatNpmReference } from "./reference.ts";
import type { PackageFile, PackageWeights } from "./schema.ts";

/** Weights that are used where an installed package has them: nothing is copied. */

/** Whether all files are there, with the size they should have; the first that isn't says why. */
export async function locateFiles(
  { files }: PackageWeights,
  packages: string,
): Promise<{ readonly paths: Readonly<Record<string, string>> } | { readonly reason: string }> {
  const paths: Record<string, string> = {};
  for (const [role, file] of Object.entries(files)) {
    const located = rightSize(file, await locateInPackage(file, packages));
    if (!located.found) return { reason: located.reason };
    paths[role] = located.path;
  }
  return { paths };
}

function rightSize(file: PackageFile, located: Located): Located {
  if (!located.found || located.size === file.size) return located;
  const reason = `${formatNpmReference(file)} has ${located.size} bytes and should have ${file.size}: run npm ci`;
  return { found: false, reason };
}

/**
 * Paths of the files by their roles, each verified by its sha256: once, after that a marker in the
 * models folder answers. Throws `UserError` when one is missing or is not the bytes it should be.
 */
export async function verifiedFiles(
  model: Model,
  weights: PackageWeights,
  home: string,
  packages: string,
): Promise<Readonly<Record<string, string>>> {
  const located = await locateFiles(weights, packages);
  if ("reason" in located)
    throw new UserError(`the weights of ${model.id} are missing: ${located.reason}`);
  for (const [role, file] of Object.entries(weights.files)) {
    const path = located.paths[role];
    if (path !== undefined) await verify(model, role, file, path, modelsFolder(home));
  }
  return located.paths;
}

async function verify(
  model: Model,
  role: string,
  file: PackageFile,
  path: string,
  folder: string,
): Promise<void> {
  const stats = await stat(path);
  const marker = markerFile(folder, `${weightsName(model.id, model.file.weights)}.${role}`);
  if (isVerified(await readMarker(marker), path, stats, file.sha256)) return;
  const found = await sha256Of(path);
  if (found !== file.sha256)
    throw new UserError(
      `${formatNpmReference(file)} is not the file it should be: sha256 ${found}, expected ${file.sha256}; run npm ci`,
    );
  await mkdir(folder, { recursive: true });
  const { size, mtimeMs } = stats;
  await writeMarker(marker, { path, size, mtimeMs, sha256: found });
}
