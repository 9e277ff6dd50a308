import type { GuideSpec } from "./spec.ts";

/** What came is not what the guide asks for, or the guide has no way on: the request fails with it. */
export class GuideError extends Error {
  override readonly name = "GuideError";
}

/** The guides of one model's vocabulary. */
export interface Guides {
  /**
   * A guide at its beginning. What it is made of is kept by spec, so that the next with the same
   * spec costs nothing. A spec that `guideOf` let through takes less than 100 ms.
   * @throws GuideError
   */
  compile(spec: GuideSpec): Guide;
}

/** Where one answer stands. */
export interface Guide {
  /**
   * Sets a bit for each token that may come next, bit `token & 31` of word `token >> 5`, and clears
   * the others. End tokens are among them where the answer may end.
   * @param mask of `Math.ceil(tokens / 32)` words
   * @throws GuideError when no token may come
   */
  allow(mask: Uint32Array): void;
  /** Takes the token that was chosen. @throws GuideError when it may not come */
  accept(token: number): void;
  /** Takes a part of the answer that was there before the first token. @throws GuideError */
  acceptBytes(bytes: Uint8Array): void;
  /** Whether the answer may end here. */
  readonly complete: boolean;
  /** Whether nothing but the end may come. */
  readonly finished: boolean;
}
