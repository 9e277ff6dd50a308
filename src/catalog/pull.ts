import type { Stats } from "node:fs";
import { mkdir, rename, rm, stat, statfs } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../lib/user-error.ts";
import { fetchVerified, type Progress, type Retry } from "./download.ts";
import { holding } from "./exclusive.ts";
import { isMissing, refuseOutside, syncFolder, weightsName } from "./files.ts";
import { sha256Of } from "./hash.ts";
import { type Hub, type HubFile, inspectHubFile, openHubFile, PassingFailure } from "./hub.ts";
import { type Locked, readLock, writeLock } from "./lock.ts";
import { isVerified, markerFile, readMarker, writeMarker } from "./marker.ts";
import { formatHubReference, type HubReference } from "./reference.ts";

export interface PullOptions {
  readonly reference: HubReference;
  /** From the model file, if it names one: then nothing else is accepted. */
  readonly sha256: string | null;
  /** The models folder; nothing is written outside it. */
  readonly folder: string;
  readonly hub: Hub;
  /** Take what the revision is now and lock that, instead of what is locked. */
  readonly update: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly retry: Retry;
  /** Bytes free in a folder; asked of the file system unless told. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

export interface Pulled {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly commit: string | null;
  /** False when the right file was there already. */
  readonly downloaded: boolean;
}

/** Left free on the disk, for journal and database. */
const SPARE = 64e6;

async function freeOnDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Downloads one file of weights, verified before it gets its name, and locks commit and sha256.
 * Throws `UserError` for whatever stops it; a part that is worth going on with is kept.
 */
export async function pullWeights(options: PullOptions): Promise<Pulled> {
  const { folder, reference } = options;
  await mkdir(folder, { recursive: true });
  const name = weightsName("", { source: "hf", reference, sha256: null, size: null });
  const file = path.join(folder, `${name}.gguf`);
  await refuseOutside(folder, file);
  await refuseOutside(folder, `${file}.part`);
  return holding(`${file}.lock`, `pulling ${formatHubReference(reference)}`, () =>
    pullTo(file, markerFile(folder, name), options),
  );
}

async function pullTo(file: string, marker: string, options: PullOptions): Promise<Pulled> {
  const { folder, reference, hub, update, signal } = options;
  const key = formatHubReference(reference);
  const locked = update ? undefined : (await readLock(folder))[key];
  const before = await statOf(file);
  if (locked !== undefined && before !== undefined && matches(options.sha256, locked)) {
    if (isVerified(await readMarker(marker), file, before, locked.sha256))
      return { path: file, ...locked, downloaded: false };
  }
  const pinned = { ...reference, revision: locked?.commit ?? reference.revision };
  const offered = await patiently(options, () => inspectHubFile(hub, pinned, signal));
  refuseOther(options, key, offered, locked);

  const finish = async (downloaded: boolean): Promise<Pulled> => {
    const { size, mtimeMs } = await stat(file);
    await writeMarker(marker, { path: file, size, mtimeMs, sha256: offered.sha256 });
    return { path: file, ...offered, downloaded };
  };
  if (before?.size === offered.size && (await sha256Of(file, signal)) === offered.sha256) {
    await writeLock(folder, key, offered);
    return finish(false);
  }
  const part = `${file}.part`;
  await refuseFullDisk(options, offered.size - ((await statOf(part))?.size ?? 0));
  const exact = { ...reference, revision: offered.commit ?? pinned.revision };
  await fetchVerified({
    ...options,
    open: (start, etag, until) => openHubFile(hub, exact, start, etag, until),
    part,
    sha256: offered.sha256,
    size: offered.size,
  });
  await writeLock(folder, key, offered);
  await rename(part, file);
  await rm(`${part}.json`, { force: true });
  await syncFolder(folder);
  return finish(true);
}

function matches(sha256: string | null, locked: Locked): boolean {
  return sha256 === null || sha256 === locked.sha256;
}

function refuseOther(
  { hub, sha256 }: PullOptions,
  key: string,
  offered: HubFile,
  locked: Locked | undefined,
): void {
  if (sha256 !== null && offered.sha256 !== sha256)
    throw new UserError(
      `${hub.endpoint} offers ${key} with sha256 ${offered.sha256}, its model file wants ${sha256}: refused`,
    );
  if (locked !== undefined && offered.sha256 !== locked.sha256)
    throw new UserError(
      `${hub.endpoint} now offers ${key} with sha256 ${offered.sha256}, ${locked.sha256} is locked: refused; npx covey pull --update takes the new one`,
    );
}

async function refuseFullDisk(options: PullOptions, missing: number): Promise<void> {
  const free = await (options.freeBytes ?? freeOnDisk)(options.folder);
  if (missing + SPARE > free)
    throw new UserError(
      `${options.folder} has ${gigabytes(free)} free and the download needs ${gigabytes(missing + SPARE)}: make room, or choose another folder with --home`,
    );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Asking costs little to lose, so it gives up sooner than a download does. */
const ASK_ATTEMPTS = 3;

async function patiently<Result>(
  { hub, retry, signal }: PullOptions,
  ask: () => Promise<Result>,
): Promise<Result> {
  for (let failures = 1; ; failures++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      if (failures >= Math.min(ASK_ATTEMPTS, retry.attempts))
        throw new UserError(
          error.cause === undefined
            ? `${error.message}: try again later`
            : `the hub cannot be reached: ${error.message}; HF_ENDPOINT names another hub (now ${hub.endpoint})`,
          { cause: error },
        );
      const delay = Math.max(retry.delay(failures), error.retryAfter ?? 0);
      retry.onRetry(error.message, delay);
      await retry.sleep(delay, signal);
    }
  }
}
