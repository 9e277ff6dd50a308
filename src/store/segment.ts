import {
  closeSync,
  fdatasync,
  fsync,
  ftruncateSync,
  openSync,
  readdirSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** The calls that can fail, so that a test can make them fail. */
export interface SegmentFiles {
  write(fd: number, bytes: Buffer, from: number, length: number, position: number): number;
  truncate(fd: number, length: number): void;
  sync(fd: number): Promise<void>;
}

export const realFiles: SegmentFiles = {
  write: writeSync,
  truncate: ftruncateSync,
  sync: (fd) => promised((done) => fdatasync(fd, done)),
};

/** A place in the journal: everything before it is whole records. */
export interface JournalEnd {
  readonly segment: number;
  readonly offset: number;
}

export function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(8, "0")}.log`);
}

/** Numbers of the segments in a folder, oldest first. */
export function listSegments(dir: string): number[] {
  return readdirSync(dir)
    .flatMap((name) => /^(\d{8,})\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** One file of the journal, being written. */
export class Segment {
  readonly number: number;
  /** Bytes of whole records. */
  size = 0;
  /** Bytes known to survive a power loss. */
  synced = 0;
  /** It holds bytes that could not be taken back: nothing more may be written to it. */
  abandoned = false;
  readonly #fd: number;
  readonly #dir: string;
  readonly #files: SegmentFiles;
  #named = false;
  #closed = false;

  /** Creates the file; it must not exist. */
  constructor(dir: string, number: number, files: SegmentFiles) {
    this.number = number;
    this.#dir = dir;
    this.#files = files;
    this.#fd = openSync(segmentPath(dir, number), "wx", 0o600);
  }

  /** Appends all of the bytes, or none of them and throws. */
  append(bytes: Buffer, length: number): void {
    let done = 0;
    try {
      while (done < length) {
        done += this.#files.write(this.#fd, bytes, done, length - done, this.size + done);
      }
    } catch (error) {
      if (done > 0) this.cutTo(this.size);
      throw error;
    }
    this.size += length;
  }

  /** Takes back what follows `offset`; when even that fails, the segment is abandoned. */
  cutTo(offset: number): void {
    this.size = offset;
    if (this.#closed) return;
    try {
      this.#files.truncate(this.#fd, offset);
    } catch {
      this.abandoned = true;
    }
  }

  /** Makes what is written now survive a power loss. */
  async sync(): Promise<void> {
    const size = this.size;
    await this.#files.sync(this.#fd);
    if (!this.#named) {
      await syncFolder(this.#dir);
      this.#named = true;
    }
    this.synced = size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}

/** A file's name is in its folder, and the folder has to reach the disk too. */
async function syncFolder(dir: string): Promise<void> {
  const fd = openSync(dir, "r");
  try {
    await promised((done) => fsync(fd, done));
  } finally {
    closeSync(fd);
  }
}

function promised(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()));
  });
}
