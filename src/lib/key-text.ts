/** What a key looks like: `sk-covey-<8 characters, its prefix>-<37 random ones and 6 of checksum>`. */

const START = "sk-covey-";
const PREFIX_LENGTH = 8;
/** 62^37 is 220 bits. */
const RANDOM_LENGTH = 37;
const CHECK_LENGTH = 6;
const SHAPE = /^sk-covey-([0-9A-Za-z]{8})-[0-9A-Za-z]{43}$/;

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Bytes from here on would make the first letters of the alphabet likelier than the others. */
const FAIR_BYTES = 256 - (256 % ALPHABET.length);

export interface KeyText {
  readonly text: string;
  readonly prefix: string;
}

/** @param randomBytes gives that many bytes that nobody can guess */
export function makeKeyText(randomBytes: (count: number) => Uint8Array): KeyText {
  const prefix = randomLetters(PREFIX_LENGTH, randomBytes);
  const body = `${START}${prefix}-${randomLetters(RANDOM_LENGTH, randomBytes)}`;
  return { text: body + checksum(body), prefix };
}

/** The prefix in a text that looks like a key of ours; null for any other. */
export function keyPrefix(text: string): string | null {
  return SHAPE.exec(text)?.[1] ?? null;
}

/**
 * What a presented text says of itself. `prefix` is null for what is no key of ours; `whole` is false
 * for one that was cut or mistyped. Neither says whether it opens anything.
 */
export function readKeyText(text: string): { prefix: string | null; whole: boolean } {
  const prefix = keyPrefix(text);
  if (prefix === null) return { prefix, whole: !text.startsWith(START) };
  return { prefix, whole: checksum(text.slice(0, -CHECK_LENGTH)) === text.slice(-CHECK_LENGTH) };
}

/** CRC-32, for typing errors: it keeps nobody out. */
function checksum(text: string): string {
  let rest = Bun.hash.crc32(text);
  let letters = "";
  for (let i = 0; i < CHECK_LENGTH; i++) {
    letters = ALPHABET.charAt(rest % ALPHABET.length) + letters;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return letters;
}

function randomLetters(count: number, randomBytes: (count: number) => Uint8Array): string {
  let letters = "";
  while (letters.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < FAIR_BYTES && letters.length < count) {
        letters += ALPHABET.charAt(byte % ALPHABET.length);
      }
    }
  }
  return letters;
}
