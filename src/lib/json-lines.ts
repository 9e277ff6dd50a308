import { LineCutter } from "./line-cutter.ts";

/** Cuts a byte stream into lines of JSON (NDJSON), empty ones left out. Like `SseParser` to its reader. */
export class JsonLines {
  readonly #lines: LineCutter;
  #found: string[] = [];
  readonly #each = (line: string): void => {
    if (line.trim() !== "") this.#found.push(line);
  };
  /** This format tells failures in its lines. */
  readonly failure = null;

  /** `maxLength`: characters a line may have before `push` throws a RangeError. */
  constructor(maxLength = 8 * 1024 * 1024) {
    this.#lines = new LineCutter(maxLength);
  }

  push(bytes: Uint8Array): string[] {
    this.#found = [];
    this.#lines.push(bytes, this.#each);
    return this.#found;
  }

  end(): string[] {
    this.#found = [];
    const rest = this.#lines.end();
    if (rest !== null) this.#each(rest);
    return this.#found;
  }
}
