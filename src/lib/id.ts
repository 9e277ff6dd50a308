const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

const pool = new Uint8Array(4096);
let used = pool.length;

function randomBase32(length: number): string {
  if (used + length > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let text = "";
  for (let i = 0; i < length; i++) text += ALPHABET.charAt((pool[used + i] ?? 0) & 31);
  used += length;
  return text;
}

let stampMs = 0;
let stamp = "";

/**
 * An id that sorts by time and cannot be guessed: 10 characters of Unix milliseconds and 16 of
 * randomness (80 bits), in Crockford's base 32 (the layout of github.com/ulid/spec), after a prefix.
 */
export function timeOrderedId(prefix: string, nowMs: number): string {
  if (nowMs !== stampMs) {
    stampMs = nowMs;
    stamp = "";
    for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) {
      stamp = ALPHABET.charAt(rest % 32) + stamp;
    }
  }
  return prefix + stamp + randomBase32(16);
}

/**
 * The id of a tool's call within a call of ours, where nobody gave one. OpenAI takes ids of 40
 * characters at most, should the conversation go on there.
 */
export function toolCallId(callId: string, choice: number, index: number): string {
  const own = callId.slice(callId.lastIndexOf("-") + 1);
  return `call_${own}_${choice === 0 ? "" : `${choice}_`}${index}`;
}
