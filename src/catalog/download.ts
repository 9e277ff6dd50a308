import { fstatSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { readFile, rm, stat } from "node:fs/promises";
import { z } from "zod";
import { networkReason } from "../lib/network-reason.ts";
import { UserError } from "../lib/user-error.ts";
import { isMissing, openForWriting, writeAtomically } from "./files.ts";
import { sha256Of } from "./hash.ts";
import { PassingFailure } from "./hub.ts";

/** Which bytes a `.part` file is the beginning of; without it a part is worth nothing. */
const PartNote = z.object({ sha256: z.string(), size: z.number(), etag: z.string().nullable() });
type PartNote = z.infer<typeof PartNote>;

export interface Download {
  /** Opens the source at a byte; the answer to a range may be 206, 200 (from the start) or 416. */
  readonly open: (start: number, etag: string | null, signal: AbortSignal) => Promise<Response>;
  /** Where the bytes go. It is kept when the download is interrupted, and gone on with. */
  readonly part: string;
  readonly sha256: string;
  readonly size: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly retry: Retry;
}

export interface Progress {
  /** `checking`: hashing what an earlier download left. */
  readonly phase: "checking" | "downloading";
  /** Bytes of the whole file. */
  readonly done: number;
  readonly total: number;
}

export interface Retry {
  /** Failures in a row, without one more byte, after which it gives up. */
  readonly attempts: number;
  /** Milliseconds to wait after so many failures in a row (from 1). */
  readonly delay: (failures: number) => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds without a byte after which a connection counts as dropped. */
  readonly stallTimeout: number;
  readonly onRetry: (reason: string, delay: number) => void;
}

const HASH_CHUNK = 1 << 20;

async function readNote(file: string): Promise<PartNote | undefined> {
  try {
    const parsed = PartNote.safeParse(JSON.parse(await readFile(file, "utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The part on disk and the hash of what is in it, kept in step. */
class Part {
  written = 0;
  hasher = new Bun.CryptoHasher("sha256");
  /** Whether something else was seen to write into the file: then the hash says nothing about it. */
  touched = false;
  readonly #handle: FileHandle;
  #left: { size: number; mtimeMs: number };

  constructor(handle: FileHandle) {
    this.#handle = handle;
    this.#left = fstatSync(handle.fd);
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#left = fstatSync(this.#handle.fd);
    this.written = 0;
    this.hasher = new Bun.CryptoHasher("sha256");
  }

  /** Compares the file with how it was left. Costs microseconds a chunk. */
  look(): void {
    const { size, mtimeMs } = fstatSync(this.#handle.fd);
    if (size !== this.#left.size || mtimeMs !== this.#left.mtimeMs) this.touched = true;
  }

  /** Hashes the first `bytes` of what is there already. */
  async adopt(bytes: number, signal: AbortSignal, onBytes: (done: number) => void): Promise<void> {
    const buffer = new Uint8Array(HASH_CHUNK);
    while (this.written < bytes) {
      signal.throwIfAborted();
      const { bytesRead } = await this.#handle.read(buffer, 0, HASH_CHUNK, this.written);
      if (bytesRead === 0) break;
      this.hasher.update(buffer.subarray(0, bytesRead));
      this.written += bytesRead;
      onBytes(this.written);
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.look();
    for (let offset = 0; offset < chunk.length; ) {
      const { bytesWritten } = await this.#handle.write(
        chunk,
        offset,
        chunk.length - offset,
        this.written + offset,
      );
      offset += bytesWritten;
    }
    this.#left = fstatSync(this.#handle.fd);
    this.hasher.update(chunk);
    this.written += chunk.length;
  }
}

/** Whether the answer begins at `start`, so that its bytes may be appended. */
function continuesAt(response: Response, start: number, size: number): boolean {
  const [, from, total] =
    /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  return (
    response.status === 206 && Number(from) === start && (total === "*" || Number(total) === size)
  );
}

/** One connection: appends what it brings. Throws `PassingFailure` when it ends early. */
async function receive(download: Download, part: Part, note: PartNote): Promise<void> {
  const { signal, size } = download;
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(), download.retry.stallTimeout);
  const both = AbortSignal.any([signal, stalled.signal]);
  try {
    const response = await download.open(part.written, note.etag, both);
    if (part.written > 0 && !continuesAt(response, part.written, size)) {
      await part.restart();
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new PassingFailure(`the server answers ${response.status} to a range`);
      }
    }
    const etag = response.headers.get("etag");
    note.etag = etag?.startsWith('"') ? etag : null;
    await writeAtomically(`${download.part}.json`, JSON.stringify(note));
    if (response.body === null) throw new PassingFailure("the answer has no body");
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), download.retry.stallTimeout);
      if (part.written + chunk.length > size) {
        await part.restart();
        throw new PassingFailure("the server sends more bytes than the file has");
      }
      await part.append(chunk);
      download.onProgress({ phase: "downloading", done: part.written, total: size });
    }
    if (part.written < size) throw new PassingFailure("the connection was dropped");
  } catch (error) {
    signal.throwIfAborted();
    if (stalled.signal.aborted) throw new PassingFailure("the connection stalled", null, error);
    if (error instanceof UserError || error instanceof PassingFailure || isDiskError(error))
      throw error;
    throw new PassingFailure(networkReason(error), null, error);
  } finally {
    clearTimeout(timer);
  }
}

function isDiskError(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "EFBIG"].includes(String(error.code))
  );
}

/**
 * Fills `part` with exactly the bytes whose sha256 is known, going on where an earlier call stopped.
 * Resolves once they are verified and on disk. Throws `UserError` when the bytes are wrong (the part
 * is then removed) or the source stays away (the part is then kept); rejects as `signal` says.
 */
export async function fetchVerified(download: Download): Promise<void> {
  const { part: file, size, sha256, signal } = download;
  const noteFile = `${file}.json`;
  const note = await readNote(noteFile);
  const isSame = note !== undefined && note.sha256 === sha256 && note.size === size;
  const handle = await openForWriting(file, isSame);
  let found: string;
  try {
    const part = new Part(handle);
    const { size: left } = await handle.stat();
    if (left > size) await part.restart();
    else
      await part.adopt(left, signal, (done) =>
        download.onProgress({ phase: "checking", done, total: size }),
      );
    await receiveAll(download, part, isSame ? note : { sha256, size, etag: null });
    await handle.sync();
    part.look();
    const isOurs = !part.touched && part.written === size && (await isAt(file, handle));
    found = isOurs ? part.hasher.digest("hex") : await sha256Of(file, signal);
  } finally {
    await handle.close();
  }
  if (found === sha256) return;
  await rm(file, { force: true });
  await rm(noteFile, { force: true });
  throw new UserError(
    `the download is not the file the hub announced: sha256 ${found}, expected ${sha256}; it was removed`,
  );
}

/** Whether the name still leads to the file that is open. */
async function isAt(file: string, handle: FileHandle): Promise<boolean> {
  const [named, opened] = await Promise.all([stat(file), handle.stat()]);
  return named.ino === opened.ino && named.dev === opened.dev && named.size === opened.size;
}

async function receiveAll(download: Download, part: Part, note: PartNote): Promise<void> {
  const { retry, signal, size } = download;
  let failures = 0;
  let furthest = part.written;
  while (part.written < size) {
    try {
      await receive(download, part, note);
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      failures = part.written > furthest ? 1 : failures + 1;
      furthest = Math.max(furthest, part.written);
      if (failures >= retry.attempts)
        throw new UserError(
          `the download stopped after ${part.written} of ${size} bytes: ${error.message}; the same command goes on from there`,
          { cause: error },
        );
      const delay = Math.max(retry.delay(failures), error.retryAfter ?? 0);
      retry.onRetry(error.message, delay);
      await retry.sleep(delay, signal);
    }
  }
}
