/**
 * What keys look like: a vendor's prefix and a long tail, or whatever follows `Bearer`. Our own are known
 * by more than two letters, so that they need no beginning of a word: they follow a `%3D` too.
 */
const KEY =
  /sk-covey-[\w-]{8,}|\b(?:sk|rk|pk)-[\w-]{8,}|\b(?:gsk|hf)_\w{16,}|\b(?:xai|nvapi)-[\w-]{16,}/g;
const BEARER = /\b(Bearer\s+)[\w.~+/-]{8,}=*/gi;

/** The same in the syntax of `lib/pattern`, for what must be found whatever stands around it. */
export const KEY_PATTERNS: readonly string[] = [KEY.source, `(?i)${BEARER.source}`];

/**
 * Text from elsewhere, fit to be shown: the secrets that are given and everything that looks like a
 * key are replaced by `[key]`.
 */
export function withoutKeys(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) if (secret !== "") shown = shown.replaceAll(secret, "[key]");
  return shown.replace(KEY, "[key]").replace(BEARER, "$1[key]");
}
