/**
 * Stands in front of a mark that a model wrote as the one token it is in its vocabulary: the same
 * characters as plain text, be they copied from a message, are no mark. A noncharacter, which is taken
 * out of all other text of an answer.
 */
export const SEAL = "\u{FDD2}";

/** What stands for it where a guide reads bytes: no text has it. */
const SEAL_BYTE = 0xff;

/** A text's bytes as guides read them. */
export function guideBytes(text: string): Buffer {
  if (!text.includes(SEAL)) return Buffer.from(text);
  const [first = "", ...others] = text.split(SEAL);
  const parts = others.flatMap((part) => [Buffer.of(SEAL_BYTE), Buffer.from(part)]);
  return Buffer.concat([Buffer.from(first), ...parts]);
}

/**
 * The bytes of a token that is no such mark as guides read them: one of a byte that no text has, which
 * vocabularies of single bytes have as well, would pass for the seal, and has none.
 */
export function plainGuideBytes(bytes: Uint8Array): Uint8Array {
  return bytes.includes(SEAL_BYTE) ? new Uint8Array() : bytes;
}

/** Text that was not written by such tokens. */
export function unsealed(text: string): string {
  return text.includes(SEAL) ? text.replaceAll(SEAL, "\u{FFFD}") : text;
}
