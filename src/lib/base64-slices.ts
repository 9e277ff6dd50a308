import { inSlices } from "./slices.ts";

/** Bytes of a slice: a multiple of three, so that slices of base64 put together are base64. */
const SLICE = 1_500_000;

/** Bytes as base64. Of many megabytes it takes a while, in which the event loop has its turns. */
export function base64Of(bytes: Uint8Array, slice: number = SLICE): Promise<string> {
  return inSlices(slices(bytes, slice));
}

function* slices(bytes: Uint8Array, slice: number): Generator<void, string> {
  const { buffer, byteOffset, byteLength } = bytes;
  const parts: string[] = [];
  for (let at = 0; at < byteLength; at += slice) {
    const length = Math.min(slice, byteLength - at);
    parts.push(Buffer.from(buffer, byteOffset + at, length).toString("base64"));
    yield;
  }
  return parts.join("");
}
