/**
 * Turns the bytes of tokens into text without ever splitting a character: the bytes of an
 * unfinished one wait for the rest. Bytes that are no UTF-8 at all become U+FFFD, as everywhere.
 */
export class TokenText {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  push(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes, { stream: true });
  }
}

const BYTE_OF_CHARACTER = byteLevelAlphabet();

/** The bytes behind a token written in GPT-2's byte-level alphabet; null if it is not written in it. */
export function byteLevelBytes(piece: string): Uint8Array | null {
  const bytes: number[] = [];
  for (const character of piece) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) return null;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** `bytes_to_unicode` of GPT-2's encoder.py, turned around: printable bytes stand for themselves. */
function byteLevelAlphabet(): Map<string, number> {
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    alphabet.set(String.fromCodePoint(printable ? byte : next++), byte);
  }
  return alphabet;
}
