import { open } from "node:fs/promises";

/** Bytes read at a time: hashing that many takes about a millisecond, so the event loop stays free. */
const CHUNK = 1 << 20;

/** The chunks of a file, in one buffer that is used again: take what is needed before asking for more. */
export async function* chunksOf(file: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const handle = await open(file, "r");
  try {
    const buffer = new Uint8Array(CHUNK);
    while (true) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** The file's sha256 in lower-case hex. */
export async function sha256Of(file: string, signal?: AbortSignal): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of chunksOf(file, signal)) hasher.update(chunk);
  return hasher.digest("hex");
}
