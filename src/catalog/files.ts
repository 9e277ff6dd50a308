import { constants } from "node:fs";
import { mkdir, open, realpath, rename, rm } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../lib/user-error.ts";
import { isModelId, isSafePath } from "./reference.ts";
import type { Weights } from "./schema.ts";

/** The models folder: names of files in it, and writing that cannot leave it or be seen half done. */

export function modelsFolder(home: string): string {
  return path.join(home, "models");
}

/**
 * What a model's weights are called in the models folder, without an ending: `owner--name` for what
 * came in a package, `owner--repository--file` for what came from a hub, so that another file of the
 * same repository is another file here. Flat, so that no folder can lead elsewhere.
 */
export function weightsName(id: string, weights: Weights): string {
  const name =
    weights.source === "hf"
      ? `${weights.reference.repo}/${weights.reference.file.replace(/\.gguf$/i, "")}`
      : id;
  const isSafe = weights.source === "hf" ? isSafePath(name) : isModelId(name);
  if (!isSafe) throw new UserError(`"${name}" cannot be the name of a file in the models folder`);
  return name.replaceAll("/", "--");
}

/** Throws `UserError` when `file` is a link that leads out of `folder`. A file that isn't there is fine. */
export async function refuseOutside(folder: string, file: string): Promise<void> {
  let real: string;
  try {
    real = await realpath(file);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  const inside = path.relative(await realpath(folder), real);
  if (inside === "" || inside.startsWith("..") || path.isAbsolute(inside))
    throw new UserError(`${file} is a link that leads out of the models folder: remove it`);
}

export function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "ENOENT" || error.code === "ENOTDIR")
  );
}

/** Opens for writing without following a link that somebody left in its place. */
export function openForWriting(file: string, keep: boolean) {
  const { O_CREAT, O_RDWR, O_TRUNC, O_NOFOLLOW } = constants;
  return open(file, O_CREAT | O_RDWR | (keep ? 0 : O_TRUNC) | (O_NOFOLLOW ?? 0), 0o644);
}

/** Makes a rename in `folder` outlast a power cut; platforms that cannot sync a folder need not. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces `file` by `text` so that a reader sees the old or the new one, whole. */
export async function writeAtomically(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await openForWriting(temporary, false);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
