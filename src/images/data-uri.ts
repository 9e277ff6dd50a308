/** A data URI with base64, taken apart. */
export interface DataUri {
  /** In lower case, without parameters; empty where none is given. */
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function isDataUri(url: string): boolean {
  return /^data:/i.test(url);
}

/** Bytes that a data URI's base64 decodes to, at most: known before it is decoded. */
export function base64Bytes(url: string): number {
  return Math.ceil(((url.length - url.indexOf(",") - 1) * 3) / 4);
}

/** Null when it is no data URI with valid base64. White space in it, as line breaks, is allowed. */
export function parseDataUri(url: string): DataUri | null {
  const head = /^data:([^,;]{0,100})(?:;[^,;]{0,100}){0,4};base64,/i.exec(url.slice(0, 1000));
  if (head === null) return null;
  try {
    const bytes = Uint8Array.fromBase64(url.slice(head[0].length));
    return { mediaType: (head[1] ?? "").trim().toLowerCase(), bytes };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function dataUri(mediaType: string, bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  const base64 = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  return `data:${mediaType};base64,${base64}`;
}
