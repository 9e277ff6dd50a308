import type { GatewayError } from "../contract/errors.ts";
import { Patience } from "../lib/patience.ts";

/** The time that a file has to be read or written. */
export interface CodecLimit {
  /** It is begun with one: so many milliseconds from now. */
  readonly begin: (ms: number) => void;
  /** None is read or written. */
  readonly end: () => void;
}

/**
 * Has a process work on images, whose files have their time to be read and written: a decoder can't be told
 * to stop. Where one takes longer the work is left, by its signal; `askModel` then keeps its place until
 * the process has come to an end with it, or is ended.
 * @throws what `tooLong` makes; what the work rejects with
 */
export async function inCodecTime<Result>(
  signal: AbortSignal,
  work: (signal: AbortSignal, limit: CodecLimit) => Promise<Result>,
  tooLong: (cause: unknown) => GatewayError,
): Promise<Result> {
  const stop = new AbortController();
  const limit = new Patience(0, () => stop.abort());
  limit.end();
  try {
    return await work(AbortSignal.any([signal, stop.signal]), {
      begin: (ms) => limit.wait(ms),
      end: () => limit.end(),
    });
  } catch (error) {
    throw limit.expired ? tooLong(error) : error;
  } finally {
    limit.end();
  }
}
