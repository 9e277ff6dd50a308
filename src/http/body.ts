import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { GatewayError } from "../contract/errors.ts";

/** Milliseconds a client may take between two pieces of a large body. */
const STALL_MS = 30_000;
/** A body up to this size comes in one go, under the server's own timer: it needs none of ours. */
const SMALL_BYTES = 256 * 1024;

/**
 * The request's JSON. The limit holds before and after decompression. An absent content type is
 * read as JSON. `stopServerTimer` is called once the server's idle timer must not end the request
 * any more: when a small body is there, or before a large one is waited for.
 * @throws GatewayError 400, 413, 415
 */
export async function readJson(
  request: Request,
  maxBytes: number,
  stopServerTimer: () => void,
): Promise<unknown> {
  const type = request.headers.get("content-type");
  if (type !== null && !isJson(type)) {
    throw new GatewayError(
      "unsupported_media_type",
      `The body must be JSON: send 'Content-Type: application/json', not '${type.slice(0, 80)}'.`,
    );
  }
  const text = await readText(request, maxBytes, stopServerTimer);
  if (text === "") {
    throw new GatewayError("invalid_request", "The body is empty: send a JSON object.");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is nested too deeply";
    throw new GatewayError("invalid_request", `The body is not valid JSON: ${reason}.`, {
      cause: error,
    });
  }
}

function isJson(type: string): boolean {
  const essence = type.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return essence === "application/json" || essence === "text/json" || essence.endsWith("+json");
}

async function readText(
  request: Request,
  maxBytes: number,
  stopServerTimer: () => void,
): Promise<string> {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > maxBytes) throw tooLarge(maxBytes);
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() || "identity";
  if (encoding === "identity" && length !== null && Number(length) <= SMALL_BYTES) {
    const bytes = await readSmall(request);
    stopServerTimer();
    return decode(bytes);
  }
  stopServerTimer();
  if (request.body === null) return "";
  const bytes = await readBounded(request.body, maxBytes);
  return decode(await decompress(bytes, encoding, maxBytes));
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** JSON is UTF-8 (RFC 8259): characters that are not are refused, not replaced by others. */
function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    throw new GatewayError("invalid_request", "The body is not valid UTF-8, as JSON has to be.", {
      cause: error,
    });
  }
}

async function readSmall(request: Request): Promise<Uint8Array> {
  try {
    return await request.bytes();
  } catch (error) {
    throw new GatewayError("client_closed", "The connection ended before the body did.", {
      cause: error,
    });
  }
}

const DECOMPRESS = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

async function decompress(
  bytes: Uint8Array,
  encoding: string,
  maxBytes: number,
): Promise<Uint8Array> {
  if (encoding === "identity") return bytes;
  if (!Object.hasOwn(DECOMPRESS, encoding)) {
    throw new GatewayError(
      "unsupported_media_type",
      `The content encoding '${encoding.slice(0, 40)}' is not supported: send gzip, deflate, br or none.`,
    );
  }
  try {
    return await DECOMPRESS[encoding as keyof typeof DECOMPRESS](bytes, {
      maxOutputLength: maxBytes,
    });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes);
    throw new GatewayError("invalid_request", `The body is not valid ${encoding}.`, {
      cause: error,
    });
  }
}

async function readBounded(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await whileItMoves(reader.read());
      if (done) return Buffer.concat(pieces);
      size += value.byteLength;
      if (size > maxBytes) throw tooLarge(maxBytes);
      pieces.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => undefined);
    throw error;
  }
}

/** A client that stops sending does not hold its connection for ever. */
async function whileItMoves<T>(step: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new GatewayError(
          "invalid_request",
          `The body stopped arriving for ${STALL_MS / 1000} seconds.`,
        ),
      );
    }, STALL_MS);
  });
  try {
    return await Promise.race([step, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(
    "body_too_large",
    `The body is larger than ${maxBytes} bytes, which server.max_body allows.`,
  );
}
