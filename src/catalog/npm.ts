import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { isMissing } from "./files.ts";
import type { NpmReference } from "./reference.ts";

const PackageFile = z.object({ version: z.string() });

export type Located =
  | { readonly found: true; readonly path: string; readonly size: number }
  | { readonly found: false; readonly reason: string };

/** The package's folder in `from`'s node_modules or in one above it, as Node looks for it. */
function packageFolder(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, "node_modules", name);
    if (existsSync(path.join(candidate, "package.json"))) return candidate;
    if (path.dirname(folder) === folder) return undefined;
  }
}

/** A file of an installed package, if it is there in exactly the version asked for. Stats only. */
export async function locateInPackage(reference: NpmReference, from: string): Promise<Located> {
  const wanted = `${reference.package}@${reference.version}`;
  const folder = packageFolder(reference.package, from);
  if (folder === undefined)
    return { found: false, reason: `the package ${wanted} is not installed: run npm install` };
  const parsed = PackageFile.safeParse(
    JSON.parse(await readFile(path.join(folder, "package.json"), "utf8")),
  );
  if (!parsed.success || parsed.data.version !== reference.version)
    return {
      found: false,
      reason: `the package ${reference.package} is installed as ${parsed.data?.version ?? "no version"}, ${reference.version} is needed: run npm install`,
    };
  const file = path.join(folder, reference.path);
  try {
    return { found: true, path: file, size: (await stat(file)).size };
  } catch (error) {
    if (!isMissing(error)) throw error;
    return {
      found: false,
      reason: `the package ${wanted} has no file ${reference.path}: run npm ci`,
    };
  }
}
