import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** There was more than was allowed, and it was not read to its end. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * The content of a response that was fetched with `decompress: false`, at most `maxBytes` of it. What
 * arrives and what it unpacks to are both counted while they stream, so that neither a long body nor
 * a small one that unpacks to a huge one is ever held in memory. `onKept` is told of content as it is kept.
 * @throws TooLarge; Error for an encoding that is not known, and for a broken body
 */
export async function readBounded(
  response: Response,
  maxBytes: number,
  onChunk: () => void,
  onKept: (bytes: number) => void = () => undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) throw new TooLarge();
  const encoding = response.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  const arriving = counted(response.body ?? [], maxBytes, onChunk);
  if (encoding === "identity" || encoding === "") return collect(arriving, maxBytes, onKept);
  const decoder = DECODERS[encoding];
  if (decoder === undefined) throw new Error(`content encoding ${encoding}`);
  let content = new Uint8Array();
  await pipeline(
    Readable.from(arriving),
    decoder(),
    async (unpacked: AsyncIterable<Uint8Array>) => {
      content = await collect(unpacked, maxBytes, onKept);
    },
  );
  return content;
}

async function* counted(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
  onChunk: () => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    onChunk();
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new TooLarge();
    yield chunk;
  }
}

async function collect(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  onKept: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new TooLarge();
    onKept(chunk.byteLength);
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}
